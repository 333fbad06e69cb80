//! `d2mtop manual`.

use clap::{Args, ValueEnum};

/// A page of the manual; what stands here of each is what the list of pages says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TopicArg {
    /// Connections under names, where keys are kept, every option
    #[value(aliases = ["profile", "keys", "options"])]
    Profiles,
    /// Becoming a device of your group, by a code that the phone scans
    #[value(alias = "join")]
    Joining,
    /// Reading the feed: filter, search, detail, latency
    #[value(aliases = ["filter", "latency"])]
    Feed,
    /// The dashboard's config.toml: theme, keys of your own, saved filters
    #[value(aliases = ["configuration", "theme"])]
    Config,
    /// What happens, as sentences or NDJSON
    #[value(aliases = ["ndjson", "json", "events"])]
    Watch,
    /// Devices, drop, lock, shared-data and probe; exit codes; completions
    #[value(aliases = ["exit-codes", "devices", "drop", "lock", "probe"])]
    Commands,
    /// Metrics for Prometheus, commands that run, notifications
    #[value(aliases = ["metrics", "alerts"])]
    Monitoring,
    /// d2mtop under systemd: units, reload, what ends it
    #[value(alias = "systemd")]
    Service,
    /// What was received before, and what of it is kept
    #[value(alias = "history")]
    Journal,
    /// A mediator of your own
    Mediator,
    /// A chat client through the mediator
    Proxy,
    /// How to report a bug: record what happens, play it again
    #[value(aliases = ["record", "replay", "bug"])]
    Recording,
    /// When it does not connect: the doctor, what you read and what to do
    #[value(alias = "doctor")]
    Connect,
    /// What is protected from whom, and what is not
    Security,
    /// The rooms of the code: to change X, open Y
    Architecture,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct ManualArgs {
    /// Which page [default: lists the pages]
    #[arg(value_enum)]
    pub topic: Option<TopicArg>,
}
