//! Every line that the suite reads keeps to `assets/events.schema.json`, or to `assets/mediator-log.schema.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

/// What is printed by all commands but `mediator`.
pub static EVENTS: LazyLock<Schema> =
    LazyLock::new(|| Schema::parse(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/events.schema.json"))));

/// What `mediator` prints.
pub static MEDIATOR_LOG: LazyLock<Schema> = LazyLock::new(|| {
    Schema::parse(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/mediator-log.schema.json")))
});

/// What a command of `--on` gets besides the event.
static ALERT_LINE: LazyLock<Validator> = LazyLock::new(|| EVENTS.validator("alert_line"));

pub struct Schema {
    pub document: Value,
    /// One for each event: the errors of a choice between all would say nothing.
    validators: BTreeMap<String, Validator>,
}

impl Schema {
    fn parse(text: &str) -> Self {
        let mut schema =
            Self { document: serde_json::from_str(text).expect("the schema is JSON"), validators: BTreeMap::new() };
        schema.validators = schema.names().into_iter().map(|name| (name.clone(), schema.validator(&name))).collect();
        schema
    }

    fn validator(&self, name: &str) -> Validator {
        let schema = json!({ "$ref": format!("#/$defs/{name}"), "$defs": self.document.get("$defs") });
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The events that it knows.
    pub fn names(&self) -> Vec<String> {
        let events = self.document.get("oneOf").and_then(Value::as_array).expect("a list of events");
        events.iter().map(|event| event["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// What is wrong with a line, if anything.
    pub fn fault(&self, line: &Value) -> Option<String> {
        let name = line["event"].as_str().unwrap_or_default();
        let Some(validator) = self.validators.get(name) else { return Some(format!("no event is called {name:?}")) };
        found_by(validator, line)
    }

    /// The lines of NDJSON, each as documented.
    pub fn lines(&self, output: &[u8]) -> Vec<Value> {
        read(output, |line| self.fault(line))
    }
}

fn found_by(validator: &Validator, line: &Value) -> Option<String> {
    validator.validate(line).err().map(|error| format!("{error} at {}", error.instance_path()))
}

fn read(output: &[u8], fault: impl Fn(&Value) -> Option<String>) -> Vec<Value> {
    let text = std::str::from_utf8(output).expect("NDJSON is UTF-8");
    let read = |line: &str| -> Value {
        let value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        if let Some(fault) = fault(&value) {
            panic!("not as documented: {fault}: {line}");
        }
        value
    };
    text.lines().map(read).collect()
}

/// What is wrong with a line of any command but `mediator`, if anything.
pub fn fault(line: &Value) -> Option<String> {
    EVENTS.fault(line)
}

/// The lines of NDJSON, each as documented.
pub fn lines(output: &[u8]) -> Vec<Value> {
    EVENTS.lines(output)
}

/// The lines that a command of `--on` got: events with what is added to them.
pub fn alert_lines(input: &[u8]) -> Vec<Value> {
    read(input, |line| found_by(&ALERT_LINE, line).or_else(|| fault(line)))
}

/// Whatever an output has of events is as documented, also where it has something else besides.
pub fn assert_documented(output: &[u8], schema: &Schema) {
    // The last line of who was killed need not be whole.
    let whole = output.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    for line in whole.filter(|line| line.starts_with(b"{\"event\":")) {
        schema.lines(line);
    }
}
