//! Rows of the feed as a file: NDJSON, CSV or Markdown, without what people wrote.

use super::ndjson;
use super::times::Zone;
use crate::group::{FeedRow, Group};

/// How rows are written; told by the ending of the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    Ndjson,
    Csv,
    Markdown,
}

/// The columns of the formats that have some.
const COLUMNS: [&str; 8] = ["id", "stored", "from", "what", "conversation", "bytes", "waited_ms", "ack_ms"];

impl ExportFormat {
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            "md" | "markdown" => Some(Self::Markdown),
            _ => None,
        }
    }

    /// What comes before the rows.
    #[must_use]
    pub fn head(self) -> String {
        match self {
            Self::Ndjson => String::new(),
            Self::Csv => format!("{}\r\n", COLUMNS.join(",")),
            Self::Markdown => format!("| {} |\n|{}\n", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len())),
        }
    }

    /// A row with the end of its line.
    #[must_use]
    pub fn row(self, group: &Group, zone: Zone, row: &FeedRow) -> String {
        match self {
            Self::Ndjson => format!("{}\n", ndjson::feed_row(row)),
            Self::Csv => format!("{}\r\n", cells(group, zone, row).map(|cell| csv(&cell)).join(",")),
            Self::Markdown => format!("| {} |\n", cells(group, zone, row).map(|cell| markdown(&cell)).join(" | ")),
        }
    }
}

fn cells(group: &Group, zone: Zone, row: &FeedRow) -> [String; 8] {
    let waited = group.age(row.stored_at, row.received_at).as_millis();
    let ack = row.acknowledged_after.map(|ack| format!("{:.3}", ack.as_secs_f64() * 1_000.0));
    [
        row.id.0.to_string(),
        zone.exact(row.stored_at),
        row.author().map(|author| group.devices().label(author).to_string()).unwrap_or_default(),
        row.sentence(group.names()).to_string(),
        row.conversation().map(ToString::to_string).unwrap_or_default(),
        row.size.to_string(),
        waited.to_string(),
        ack.unwrap_or_default(),
    ]
}

/// A cell that no spreadsheet takes for a formula, in quotes where it has to be.
fn csv(cell: &str) -> String {
    let cell = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r', ';']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn markdown(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_never_formulas_and_never_end_early() {
        for (cell, written) in [
            ("text", "text"),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("=a,b", "\"'=a,b\""),
            ("1 = 1", "1 = 1"),
        ] {
            assert_eq!(csv(cell), written);
        }
        assert_eq!(markdown("a|b\\|c"), "a\\|b\\\\\\|c");
    }

    #[test]
    fn the_ending_tells_the_format() {
        for (name, format) in [
            ("feed.ndjson", Some(ExportFormat::Ndjson)),
            ("a.b/feed.CSV", Some(ExportFormat::Csv)),
            ("feed.md", Some(ExportFormat::Markdown)),
            ("feed", None),
            ("feed.txt", None),
        ] {
            assert_eq!(ExportFormat::of(name), format, "{name}");
        }
    }
}
