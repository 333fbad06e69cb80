//! The time zone of this machine, or of the variable `TZ`, as date(1) and the C library have it.

use std::path::Path;
use std::sync::OnceLock;

use jiff::tz::TimeZone;

/// Where the zones are, unless `TZDIR` says something else.
const ZONES: &str = "/usr/share/zoneinfo";
/// When summer time begins and ends where `TZ` has one and says no more: the rules of New York, which the C library takes.
/// Some versions of it move the hour of the change.
const DEFAULT_RULES: &str = ",M3.2.0,M11.1.0";

/// That of `TZ`, which does not change; else that of the machine, which may. Universal time, if there is none.
#[must_use]
pub fn local() -> TimeZone {
    static OF_VARIABLE: OnceLock<Option<TimeZone>> = OnceLock::new();
    let of_variable = OF_VARIABLE.get_or_init(|| {
        let name = std::env::var_os("TZ")?;
        let folder = std::env::var_os("TZDIR").unwrap_or_else(|| ZONES.into());
        Some(named(&name.to_string_lossy(), Path::new(&folder)))
    });
    of_variable.clone().unwrap_or_else(|| TimeZone::try_system().unwrap_or(TimeZone::UTC))
}

/// A file of a zone comes before a rule; what is neither is universal time.
fn named(name: &str, folder: &Path) -> TimeZone {
    let name = name.strip_prefix(':').unwrap_or(name);
    let of_file = || TimeZone::tzif(name, &std::fs::read(folder.join(name)).ok()?).ok();
    let of_rule = |rule: &str| TimeZone::posix(rule).ok();
    let zone = of_file().or_else(|| of_rule(name));
    zone.or_else(|| of_rule(&format!("{}{DEFAULT_RULES}", name.trim_end_matches(',')))).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What date(1) says of it: seconds since 1970, and what its clocks showed.
    fn by_date(zone: &str, day: &str) -> (i64, String) {
        let output = Command::new("date").env("TZ", zone).args(["-d", day, "+%s %F %T"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (seconds, shown) = text.trim().split_once(' ').expect("date knows the day");
        (seconds.parse().unwrap(), shown.to_owned())
    }

    #[test]
    fn clocks_show_what_those_of_date_show() {
        if !cfg!(target_os = "linux") {
            return eprintln!("not run: date has other options here");
        }
        let zones = [
            "CET-1CEST",
            "CET-1CEST,",
            "EST5EDT4",
            "CET-1CEST-2:30",
            "NZST-12NZDT",
            "<+03>-3<+04>",
            "<-0330>3:30<-0230>",
            "IST-1GMT0",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "CST6CDT,J60/1:30,J300",
            "<-03>3",
            "AAA10:30:15BBB",
            "MSK-3",
            "",
            ":",
            "Nowhere/Land",
            "Europe/Berlin",
            ":America/St_Johns",
            "/usr/share/zoneinfo/Australia/Lord_Howe",
            "EST5EDT",
            "UTC",
        ];
        let days =
            ["1998-07-01", "2026-03-07 12:00", "2026-03-09 12:00", "2026-03-29 12:00", "2026-07-01", "2026-10-25"];
        let more = ["2026-10-31 12:00", "2026-11-01 12:00", "2026-11-28", "2031-06-30 23:59:59"];
        for zone in zones {
            for day in days.iter().chain(&more) {
                let (seconds, shown) = by_date(zone, &format!("{day}Z"));
                let at = jiff::Timestamp::from_second(seconds).unwrap();
                let ours = at.to_zoned(named(zone, Path::new(ZONES))).strftime("%F %T").to_string();
                assert_eq!(ours, shown, "TZ={zone:?} at {day}");
            }
        }
    }
}
