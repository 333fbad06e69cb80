//! What the command line says, as the types that the other rooms take: read once, here, with the option's name in every
//! error.

use std::ffi::OsString;
use std::fmt::Display;
use std::net::SocketAddr;

use clap::ValueEnum as _;

use crate::alerts::Rule;
use crate::cli::secrets::StoreArg;
use crate::cli::{
    AnyCertificateArg, AsciiArg, ConnectionArgs, DemoArgs, DialectArg, ExpectArg, LogArgs, MonitorArgs, RecordArgs,
};
use crate::net::ProxyChoice;
use crate::os::logging::LogOptions;
use crate::output::Failure;
use crate::profile::secrets::KeyStoreKind;
use crate::profile::{self, ConnectionOptions, ProxySetting};
use crate::protocol::{Dialect, SlotState};
use crate::record::RecordFolder;
use crate::runtime::{MetricsOptions, MonitorOptions};
use crate::simulate::StageOptions;
use crate::text::Clean;

impl From<DialectArg> for Dialect {
    fn from(argument: DialectArg) -> Self {
        match argument {
            DialectArg::Mk => Self::Mk,
            DialectArg::Dgk => Self::Dgk,
        }
    }
}

impl From<ExpectArg> for SlotState {
    fn from(argument: ExpectArg) -> Self {
        match argument {
            ExpectArg::New => Self::New,
            ExpectArg::Existing => Self::Existing,
        }
    }
}

impl From<StoreArg> for KeyStoreKind {
    fn from(argument: StoreArg) -> Self {
        match argument {
            StoreArg::Keyring => Self::Keyring,
            StoreArg::File => Self::KeyFile,
            StoreArg::PassphraseFile => Self::PassphraseFile,
        }
    }
}

/// What follows `--ascii` is its value if it can be one; else it is a profile, which the parser would take for a value.
pub fn with_values_joined(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut arguments = arguments.peekable();
    let mut are_options = true;
    std::iter::from_fn(move || {
        let argument = arguments.next()?;
        are_options &= argument != "--";
        let is_value = |next: &OsString| {
            let value = next.to_str().and_then(|next| AsciiArg::from_str(next, false).ok());
            value.is_some()
        };
        match arguments.next_if(|next| are_options && argument == "--ascii" && is_value(next)) {
            Some(value) => {
                let mut joined = argument;
                joined.push("=");
                joined.push(value);
                Some(joined)
            }
            None => Some(argument),
        }
    })
}

/// An option that cannot be used.
pub(super) fn unusable(option: &str, why: &impl Display) -> Failure {
    Failure::Usage(format!("{option}: {why}"))
}

/// The options of a connection.
///
/// # Errors
/// If a value cannot be read.
pub fn connection(arguments: &ConnectionArgs) -> Result<ConnectionOptions, Failure> {
    let device_id = arguments.device_id.as_deref().map(str::parse).transpose();
    let presence = arguments.presence.as_deref().map(str::parse).transpose();
    let keep_alive = arguments.keep_alive.as_deref().map(str::parse).transpose();
    let pins = arguments.pins.iter().map(|pin| pin.parse()).collect::<Result<_, _>>();
    Ok(ConnectionOptions {
        url: arguments.url.clone(),
        key_file: arguments.key_file.clone(),
        server_group: arguments.server_group.clone(),
        dialect: arguments.dialect.map(Dialect::from),
        device_id: device_id.map_err(|error| unusable("--device-id", &error))?,
        label: arguments.label.as_deref().map(Clean::new),
        expects: arguments.expect.map(SlotState::from),
        persistent: arguments.persistent,
        read_only: arguments.read_only,
        no_journal: arguments.no_journal,
        stay_leader: arguments.stay_leader,
        presence: presence.map_err(|error| unusable("--presence", &error))?,
        trust_roots: arguments.ca.clone(),
        pins: pins.map_err(|error| unusable("--pin", &error))?,
        accept_any_certificate: arguments.dangerously_accept_any_certificate.is_some(),
        proxy: proxy(arguments.proxy.as_deref())?,
        keep_alive: keep_alive.map_err(|error| unusable("--keep-alive", &error))?,
        keeps_secret: false,
        wait: arguments.wait_profile,
        passphrase_fd: arguments.passphrase.passphrase_fd,
    })
}

/// A proxy of the command line, which everybody on this machine can read.
///
/// # Errors
/// If it has a password in it, or is none.
pub(super) fn proxy(text: Option<&str>) -> Result<Option<ProxySetting>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let setting = ProxySetting::new(text.to_owned());
    if setting.has_password() {
        let words = "a password does not belong on the command line, where everybody on this machine can read it; put the \
                     URL into the profile as proxy, or into the variable https_proxy";
        return Err(unusable("--proxy", &words));
    }
    text.parse::<ProxyChoice>().map_err(|error| unusable("--proxy", &error))?;
    Ok(Some(setting))
}

/// The same for a session that nobody looks at: where no banner can be shown all the time, accepting any certificate has
/// to be asked for twice.
pub(super) fn unattended_connection(arguments: &ConnectionArgs) -> Result<ConnectionOptions, Failure> {
    if arguments.dangerously_accept_any_certificate == Some(AnyCertificateArg::Attended) {
        return Err(Failure::Usage(
            "without the dashboard and its banner, --dangerously-accept-any-certificate must be written \
             --dangerously-accept-any-certificate=even-unattended"
                .to_owned(),
        ));
    }
    connection(arguments)
}

/// The options of metrics and alerts.
///
/// # Errors
/// If a rule cannot be read, or the metrics were served to the network without permission.
pub fn monitor(arguments: &MonitorArgs) -> Result<MonitorOptions, Failure> {
    let rules = arguments.on.iter().map(|text| Rule::parse(text)).collect::<Result<_, _>>();
    let rules = rules.map_err(|error| Failure::Usage(error.to_string()))?;
    let metrics = arguments.metrics.map(|address| {
        let address = permitted(address, arguments.metrics_allow_remote)?;
        Ok::<_, Failure>(MetricsOptions { address, with_labels: arguments.metrics_labels })
    });
    Ok(MonitorOptions { rules, metrics: metrics.transpose()? })
}

/// What the metrics say of a group is not everybody's business.
fn permitted(address: SocketAddr, remote_is_allowed: bool) -> Result<SocketAddr, Failure> {
    if address.ip().is_loopback() || remote_is_allowed {
        return Ok(address);
    }
    Err(Failure::Usage(format!(
        "--metrics {address}: others on the network could read the metrics there; take 127.0.0.1, or say \
         --metrics-allow-remote, too"
    )))
}

/// Where what happens is recorded, if it is.
///
/// # Errors
/// If the folder cannot be used, or another process records there.
pub fn recording(arguments: &RecordArgs) -> Result<Option<RecordFolder>, Failure> {
    let Some(folder) = &arguments.record else { return Ok(None) };
    Ok(Some(RecordFolder::open(folder, arguments.record_limit.as_u64())?))
}

/// The options of the log.
#[must_use]
pub fn log(arguments: &LogArgs) -> LogOptions {
    LogOptions {
        directory: arguments.log_dir.clone().or_else(profile::state_directory),
        // The parser lets no other words through.
        level: arguments.log_level.parse().unwrap_or(tracing::Level::INFO),
    }
}

/// The options of the demo's simulated group.
#[must_use]
pub fn stage(arguments: &DemoArgs) -> StageOptions {
    let (dialect, rate, seed) = (arguments.dialect.into(), arguments.rate, arguments.seed);
    StageOptions { dialect, rate, seed, admits: arguments.join }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, CliCommand};

    fn parsed(arguments: &[&str]) -> Cli {
        Cli::parse_from([&["d2mtop"], arguments].concat())
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_option() {
        for (option, value) in [
            ("--device-id", "7"),
            ("--presence", "never"),
            ("--pin", "AAAA"),
            ("--keep-alive", "0s"),
            ("--proxy", "gopher://proxy:1"),
        ] {
            let words = connection(&parsed(&[option, value]).connection).unwrap_err().to_string();
            assert!(words.starts_with(&format!("{option}: ")), "{words}");
        }
        let pinned = ["--pin", "Dvvb0s1E8Y2tG67GoyzIkmJNAebvOqQjz4TnPMq3yhI=", "--presence", "visit=10m"];
        let options = connection(&parsed(&pinned).connection).unwrap();
        assert_eq!((options.pins.len(), options.presence.map(|it| it.to_string()).as_deref()), (1, Some("visit=10m")));
    }

    #[test]
    fn a_password_of_a_proxy_is_no_option() {
        for proxy in ["http://me:hunter2@proxy:1", "socks5h://me:hunter2@[::1]", "me:hunter2@proxy:1"] {
            let words = connection(&parsed(&["--proxy", proxy]).connection).unwrap_err().to_string();
            assert!(words.contains("into the profile as proxy, or into the variable"), "{words}");
            assert!(!words.contains("hunter2"), "{words}");
        }
        let options = connection(&parsed(&["--proxy", "none", "--keep-alive", "5s"]).connection).unwrap();
        assert_eq!(options.proxy.unwrap().expose(), "none");
        assert_eq!(options.keep_alive.unwrap().to_string(), "5s");
    }

    #[test]
    fn any_certificate_is_accepted_unattended_only_if_that_is_said() {
        let said = |value: &str| parsed(&[&format!("--dangerously-accept-any-certificate{value}")]).connection;
        assert!(connection(&said("")).unwrap().accept_any_certificate);
        assert!(unattended_connection(&said("")).is_err());
        assert!(unattended_connection(&said("=even-unattended")).unwrap().accept_any_certificate);
    }

    /// The page of the first run starts the demo without a command line.
    #[test]
    fn the_demo_without_options_is_the_default_one() {
        let Some(CliCommand::Demo(options)) = parsed(&["demo"]).command else { unreachable!() };
        assert_eq!(stage(&options), StageOptions::default());
    }

    #[test]
    fn ascii_takes_what_can_be_its_value_and_no_profile() {
        let joined = |line: &str| {
            let words = line.split(' ').map(OsString::from);
            with_values_joined(words).map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        for (line, read) in [
            ("d2mtop --ascii never home", "d2mtop --ascii=never home"),
            ("d2mtop --ascii home", "d2mtop --ascii home"),
            ("d2mtop demo --ascii", "d2mtop demo --ascii"),
            ("d2mtop --ascii always", "d2mtop --ascii=always"),
            ("d2mtop lock contact-sync -- x --ascii never", "d2mtop lock contact-sync -- x --ascii never"),
        ] {
            assert_eq!(joined(line), read);
        }
        assert_eq!(parsed(&["--ascii", "home"]).display.ascii, AsciiArg::Always);
        assert_eq!(parsed(&["home"]).display.ascii, AsciiArg::Auto);
    }

    #[test]
    fn every_level_of_the_log_is_one() {
        for level in ["error", "warn", "info", "debug"] {
            let options = log(&parsed(&["--log-level", level]).log);
            assert_eq!(options.level.as_str().to_lowercase(), level);
        }
    }
}
