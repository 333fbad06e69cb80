//! Every line that the suite reads keeps to `assets/events.schema.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

pub static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../assets/events.schema.json")).expect("the schema is JSON")
});

/// One for each event: the errors of a choice between all would say nothing.
static VALIDATORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let validator = |name: &str| {
        let schema = json!({ "$ref": format!("#/$defs/{name}"), "$defs": SCHEMA["$defs"] });
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    names().into_iter().map(|name| (name.clone(), validator(&name))).collect()
});

/// The events that the schema knows.
pub fn names() -> Vec<String> {
    let events = SCHEMA["oneOf"].as_array().expect("a list of events");
    events.iter().map(|event| event["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// What is wrong with a line, if anything.
pub fn fault(line: &Value) -> Option<String> {
    let name = line["event"].as_str().unwrap_or_default();
    let Some(validator) = VALIDATORS.get(name) else { return Some(format!("no event is called {name:?}")) };
    validator.validate(line).err().map(|error| format!("{error} at {}", error.instance_path()))
}

/// The lines of NDJSON, each as documented.
pub fn lines(output: &[u8]) -> Vec<Value> {
    read(output, |_| true)
}

/// The same where not all lines are events.
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
pub fn objects(output: &[u8]) -> Vec<Value> {
    read(output, |value| value.get("event").is_some())
}

fn read(output: &[u8], is_event: impl Fn(&Value) -> bool) -> Vec<Value> {
    let text = std::str::from_utf8(output).expect("NDJSON is UTF-8");
    let read = |line: &str| -> Value {
        let value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        if let Some(fault) = Some(&value).filter(|value| is_event(value)).and_then(fault) {
            panic!("not as documented: {fault}: {line}");
        }
        value
    };
    text.lines().map(read).collect()
}
