//! `d2mtop mediator`: a mediator of our own, with its log as NDJSON on standard output.

mod data;
mod log;
mod options;

use std::cell::RefCell;
use std::pin::pin;

use futures_util::FutureExt as _;

use self::data::RunningStore;
use self::log::MediatorLogLine;
use crate::cli::MediatorArgs;
use crate::net::{Listener, LogLine, SettingsSender};
use crate::os::event_loop::event_loop;
use crate::os::signals::{ServiceRequest, ServiceSignals};
use crate::os::systemd::Service;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::LineSink;
use crate::output::ndjson::NamesInLines;
use crate::output::port_file;
use crate::output::sentences::Form;
use crate::text::Clean;

/// Listens until a signal ends it.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address.
pub fn run(options: &MediatorArgs) -> Result<Outcome, Failure> {
    let mut listener_options = options::listener_options(options)?;
    let (store, link) = options.data.as_deref().map(RunningStore::start).transpose()?.unzip();
    listener_options.store = link;
    event_loop().map_err(Failure::Start)?.block_on(async {
        // Polled once, so that a signal that comes right after the port file ends us politely.
        let mut signals = ServiceSignals::take();
        let early = signals.next().now_or_never();
        let unavailable = |cause| Failure::Listen { address: options.listen, cause };
        let listener = Listener::bind(listener_options).await.map_err(unavailable)?;
        if let Some(path) = &options.port_file {
            let port = listener.local_addr().map_err(unavailable)?.port();
            port_file::write_port(path, port).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
        }
        let write = |form: &mut Form, output: &mut Vec<u8>, at, line: MediatorLogLine| {
            form.line(output, &log::object(at, &line))
        };
        let output = LineSink::start(Form::Ndjson(NamesInLines::LeftOut), write).map_err(Failure::Start)?;
        let service = Service::default();
        let settings = listener.settings();
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
        let failed = RefCell::new(None);
        let log = |line: LogLine| {
            match &line {
                LogLine::StoreStalled { words } => service.status(words, false),
                LogLine::StoreRecovered => service.status("listening", false),
                LogLine::StoreFailed { words } => drop(failed.replace(Some(Clean::new(words)))),
                _ => {}
            }
            output.write(MediatorLogLine::Listener(line));
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

/// Reads certificate and allowed groups anew. Connections stay, but for those of groups that are not allowed any more.
async fn reload(
    options: &MediatorArgs,
    settings: &SettingsSender,
    service: &Service,
    output: &LineSink<MediatorLogLine>,
) {
    service.reloading();
    let read = options::settings(options);
    service.reloaded(read.is_ok());
    match read {
        Ok(new) => {
            settings.send(new).await;
            output.write(MediatorLogLine::Reloaded);
        }
        Err(failure) => output.write(MediatorLogLine::ReloadFailed(Clean::new(&failure.to_string()))),
    }
}
