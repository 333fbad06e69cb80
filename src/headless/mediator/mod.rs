//! `d2mtop mediator`: a mediator of our own, with its log as NDJSON on standard output.

mod config;
mod control;
mod metrics;
mod options;

use std::cell::{Cell, RefCell};
use std::pin::pin;

use futures_util::FutureExt as _;

use crate::cli::MediatorArgs;
use crate::metrics::MediatorMeter;
use crate::net::{CannotListen, Listener, LogLine, SettingsSender, StoreLink};
use crate::os::event_loop::event_loop;
use crate::os::signals::{ServiceRequest, ServiceSignals};
use crate::os::systemd::Service;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::LineSink;
use crate::output::mediator_log::{self, MediatorLogLine};
use crate::output::ndjson::NamesInLines;
use crate::output::port_file;
use crate::output::sentences::Form;
use crate::store::{RunningStore, StoreWays};
use crate::text::Clean;

/// Listens until a signal ends it; or asks one that does.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address; or what is asked for is not done.
pub fn run(options: &MediatorArgs) -> Result<Outcome, Failure> {
    if let Some(command) = &options.command {
        return control::run(command);
    }
    let of_file = read_file(options)?;
    let options = of_file.as_ref().unwrap_or(options);
    let mut listener_options = options::listener_options(options)?;
    let (store, ways) = options.data.as_deref().map(RunningStore::start).transpose()?.unzip();
    listener_options.store =
        ways.map(|StoreWays { restored, requests, replies }| StoreLink { restored, requests, replies });
    event_loop().map_err(Failure::Start)?.block_on(async {
        // Polled once, so that a signal that comes right after the port file ends us politely.
        let mut signals = ServiceSignals::take();
        let early = signals.next().now_or_never();
        let unavailable = |CannotListen { at, cause }| Failure::Listen { address: Clean::new(&at.to_string()), cause };
        let listener = Listener::bind(listener_options).await.map_err(unavailable)?;
        if let Some(path) = &options.port_file {
            let port = listener.local_addr().and_then(|address| port_file::write_port(path, address.port()));
            port.map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
        }
        let write = |form: &mut Form, output: &mut Vec<u8>, at, line: MediatorLogLine| {
            mediator_log::object(at, &line).map_or(Ok(()), |line| form.line(output, &line))
        };
        let output = LineSink::start(Form::Ndjson(NamesInLines::LeftOut), write).map_err(Failure::Start)?;
        let service = Service::default();
        let settings = listener.settings();
        let meter = MediatorMeter::default();
        let measured = match options.metrics {
            Some(address) => Some(metrics::serve(address, meter.clone(), listener.inspector()).await?),
            None => None,
        };
        let control = Cell::new(control::serve(options, listener.inspector())?);
        let shutdown = async {
            let mut request = early;
            while request != Some(ServiceRequest::End) {
                if request.is_some() {
                    reload(options, &settings, &service, &output).await;
                }
                request = Some(signals.next().await);
            }
            service.stopping();
        };
        service.status("listening", true);
        let (failed, has_begun) = (RefCell::new(None), Cell::new(false));
        let log = |line: LogLine| {
            meter.take(&line);
            match &line {
                LogLine::Answered { .. } | LogLine::Committed { .. } => return,
                LogLine::StoreStalled { words } => service.status(words, false),
                LogLine::StoreRecovered => service.status("listening", false),
                LogLine::StoreFailed { words } => drop(failed.replace(Some(Clean::new(words)))),
                _ => {}
            }
            let is_first = matches!(line, LogLine::Listening { .. }) && !has_begun.replace(true);
            output.write(MediatorLogLine::Listener(line));
            if is_first {
                let lines = measured.map(MediatorLogLine::Metrics).into_iter().chain(control.take());
                lines.for_each(|line| output.write(line));
            }
        };
        {
            let mut pulse = pin!(service.clone().pulse().fuse());
            let mut serving = pin!(listener.run(shutdown, log));
            tokio::select! {
                () = &mut serving => {}
                // Without a watchdog there is no pulse.
                () = &mut pulse => serving.await,
            }
        }
        store.into_iter().for_each(RunningStore::end);
        output.end().await?;
        failed.into_inner().map_or(Ok(Outcome::Normal), |words| Err(Failure::StoreFailed(words)))
    })
}

/// All options, if some of them are in a file.
fn read_file(options: &MediatorArgs) -> Result<Option<MediatorArgs>, Failure> {
    options.config.as_deref().map(|path| config::read(path, &config::given())).transpose()
}

/// Reads the configuration, certificate and allowed groups anew. Connections stay, but for those of
/// groups that are not allowed any more.
async fn reload(
    options: &MediatorArgs,
    settings: &SettingsSender,
    service: &Service,
    output: &LineSink<MediatorLogLine>,
) {
    service.reloading();
    let read = read_file(options).and_then(|of_file| {
        let after = of_file.as_ref().unwrap_or(options);
        Ok((options::settings(after)?, options::fixed(options, after)))
    });
    service.reloaded(read.is_ok());
    match read {
        Ok((new, next_start)) => {
            settings.send(new).await;
            output.write(MediatorLogLine::Reloaded { next_start });
        }
        Err(failure) => output.write(MediatorLogLine::ReloadFailed(Clean::new(&failure.to_string()))),
    }
}
