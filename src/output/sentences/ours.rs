//! Sentences of lines that are not of a session: of `watch` and `proxy` themselves.

use serde_json::Value;

use super::{LOOK_HERE, count};
use crate::text::size;

/// What a line says; its name and its words, where nothing better is known.
pub(super) fn sentence(line: &Value) -> String {
    let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| line.get(name).and_then(Value::as_u64).unwrap_or(0);
    let things = |name: &str, what: &str| count(usize::try_from(number(name)).unwrap_or(usize::MAX), what);
    let carried = |way: &str| {
        let (frames, bytes) = (format!("frames_{way}"), format!("bytes_{way}"));
        format!("{} ({})", things(&frames, "frame"), size(number(&bytes)))
    };
    match text("event") {
        "listening" => format!("waiting for a chat client at {}", text("address")),
        "client_connected" => format!("a chat client has come from {}", text("peer")),
        "client_served" => "the chat client is carried to the chat server".to_owned(),
        "client_refused" => format!("refused {}: {}", text("peer"), text("words")),
        "client_disconnected" => {
            let why = Some(text("words")).filter(|words| !words.is_empty());
            let why = why.unwrap_or("it left");
            let (to, from) = (carried("to_server"), carried("from_server"));
            let incomplete = Some(number("incomplete_bytes")).filter(|bytes| *bytes > 0);
            let incomplete = incomplete
                .map_or_else(String::new, |bytes| format!("; {LOOK_HERE}the last {} are no whole frame", size(bytes)));
            format!("chat client gone: {why}; {to} out, {from} in{incomplete}")
        }
        "metrics" => format!("metrics are at {}", text("url")),
        "reloaded" if line.get("changed") == Some(&Value::Bool(true)) => "the profile has changed".to_owned(),
        "reloaded" => "the profile was read again, and says the same".to_owned(),
        "reload_failed" => format!("{LOOK_HERE}the profile cannot be read, and stays as it was: {}", text("words")),
        "warning" => format!("{LOOK_HERE}{}", text("words")),
        "left_out" if line.get("lines").is_some() => {
            format!("{LOOK_HERE}missing here: {}", things("lines", "line"))
        }
        "left_out" => {
            let (messages, events) = (things("messages", "message"), things("events", "other event"));
            let acknowledged = things("acknowledged", "acknowledgement");
            format!("{LOOK_HERE}not read in time, and missing here: {messages}, {acknowledged}, {events}")
        }
        name => format!("{} {}", name.replace('_', " "), text("words")).trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::ndjson;
    use crate::protocol::Millis;

    #[test]
    fn every_line_of_ours_reads_like_a_sentence() {
        let line = |event: &str, fields: Value| ndjson::line(Millis(1), event, fields);
        let client = "127.0.0.1:36572";
        let carried = json!({
            "peer": client, "by": "client",
            "frames_to_server": 5, "bytes_to_server": 334, "frames_from_server": 1, "bytes_from_server": 2_380,
        });
        let cut =
            json!({ "peer": client, "by": "mediator", "words": "cut off from the mediator", "incomplete_bytes": 3 });
        for (line, expected) in [
            (
                line("listening", json!({ "address": "127.0.0.1:5222", "port": 5222 })),
                "waiting for a chat client at 127.0.0.1:5222",
            ),
            (line("client_connected", json!({ "peer": client })), "a chat client has come from 127.0.0.1:36572"),
            (line("client_served", json!({})), "the chat client is carried to the chat server"),
            (
                line("client_refused", json!({ "peer": client, "words": "another client is there" })),
                "refused 127.0.0.1:36572: another client is there",
            ),
            (
                line("client_disconnected", carried),
                "chat client gone: it left; 5 frames (334 B) out, 1 frame (2380 B) in",
            ),
            (
                line("client_disconnected", cut),
                "chat client gone: cut off from the mediator; 0 frames (0 B) out, 0 frames (0 B) in; ! the last 3 B are no \
                 whole frame",
            ),
            (
                line("metrics", json!({ "url": "http://[::1]:9464/metrics" })),
                "metrics are at http://[::1]:9464/metrics",
            ),
            (ndjson::reloaded(Millis(1), true), "the profile has changed"),
            (ndjson::reloaded(Millis(1), false), "the profile was read again, and says the same"),
            (
                ndjson::reload_failed(Millis(1), "no such profile"),
                "! the profile cannot be read, and stays as it was: no such profile",
            ),
            (line("warning", json!({ "warning": "not_loopback", "words": "beware" })), "! beware"),
            (
                ndjson::left_out(Millis(1), 1, 2, 0),
                "! not read in time, and missing here: 1 message, 2 acknowledgements, 0 other events",
            ),
            (line("left_out", json!({ "lines": 7 })), "! missing here: 7 lines"),
            (line("something_new", json!({ "words": "of tomorrow" })), "something new of tomorrow"),
        ] {
            assert_eq!(sentence(&line), expected);
        }
    }
}
