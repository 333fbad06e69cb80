//! A strict reader of `OpenMetrics` text: whatever breaks a rule of the specification that a page of ours could break is
//! refused, with the line.

use std::collections::{BTreeMap, BTreeSet};

pub type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: Labels,
    pub value: f64,
}

#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
    pub unit: Option<String>,
    pub samples: Vec<Sample>,
}

#[derive(Debug)]
pub struct Page(pub BTreeMap<String, Family>);

impl Page {
    /// All samples of that name that have at least these labels.
    pub fn all<'p>(&'p self, name: &'p str, labels: &'p [(&str, &str)]) -> impl Iterator<Item = &'p Sample> {
        let has = move |sample: &&Sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|found| found == value))
        };
        self.0.values().flat_map(|family| &family.samples).filter(has)
    }

    /// Their sum.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.all(name, labels).map(|sample| sample.value).sum()
    }

    /// The names of all samples that can occur, also where there are none at the moment.
    pub fn sample_names(&self) -> BTreeSet<String> {
        let names = |(name, family): (&String, &Family)| -> Vec<String> {
            suffixes(&family.kind).iter().map(|suffix| format!("{name}{suffix}")).collect()
        };
        self.0.iter().flat_map(names).collect()
    }
}

fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_count", "_sum"],
        other => panic!("no such type: {other}"),
    }
}

pub fn read(text: &str) -> Page {
    let body = text.strip_suffix("# EOF\n").expect("ends with # EOF and a line feed");
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in body.lines() {
        assert!(!line.is_empty() && !line.contains('\r'), "an empty line, or a carriage return: {line:?}");
        if let Some(rest) = line.strip_prefix("# ") {
            let (word, rest) = rest.split_once(' ').unwrap_or_else(|| panic!("no metadata: {line}"));
            let (name, value) = rest.split_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
            if name != current {
                assert!(!families.contains_key(name), "the family comes twice: {line}");
                assert!(is_name(name), "{line}");
                name.clone_into(&mut current);
            }
            let family = families.entry(name.to_owned()).or_default();
            assert!(family.samples.is_empty(), "metadata after samples: {line}");
            match word {
                "TYPE" => assert!(std::mem::replace(&mut family.kind, value.to_owned()).is_empty(), "{line}"),
                "HELP" => assert!(std::mem::replace(&mut family.help, value.to_owned()).is_empty(), "{line}"),
                "UNIT" => {
                    assert!(name.ends_with(&format!("_{value}")), "the unit is not the end of the name: {line}");
                    assert!(family.unit.replace(value.to_owned()).is_none(), "{line}");
                }
                _ => panic!("no such metadata: {line}"),
            }
        } else {
            let sample = sample(line);
            let family = families.get_mut(&current).unwrap_or_else(|| panic!("no family: {line}"));
            let suffix = sample.name.strip_prefix(current.as_str()).unwrap_or_else(|| panic!("foreign: {line}"));
            assert!(suffixes(&family.kind).contains(&suffix), "not a suffix of a {}: {line}", family.kind);
            assert!(seen.insert((sample.name.clone(), sample.labels.clone())), "twice: {line}");
            family.samples.push(sample);
        }
    }
    for (name, family) in &families {
        check(name, family);
    }
    Page(families)
}

fn check(name: &str, family: &Family) {
    assert!(!family.help.is_empty(), "{name} has no help");
    assert!(!name.ends_with("_total") && !name.ends_with("_info"), "{name}: the suffix is of the sample");
    for sample in &family.samples {
        match family.kind.as_str() {
            "counter" => assert!(sample.value >= 0.0 && sample.value.is_finite(), "{sample:?}"),
            "info" => assert!((sample.value - 1.0).abs() < f64::EPSILON, "{sample:?}"),
            _ => assert!(!sample.value.is_nan(), "{sample:?}"),
        }
        assert_eq!(sample.labels.contains_key("le"), sample.name.ends_with("_bucket"), "{sample:?}");
    }
    if family.kind == "histogram" {
        check_histogram(name, family);
    }
}

fn check_histogram(name: &str, family: &Family) {
    let mut series = BTreeMap::<Labels, Vec<(f64, f64)>>::new();
    for sample in family.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
        let mut labels = sample.labels.clone();
        let bound = match labels.remove("le").expect("a bound").as_str() {
            "+Inf" => f64::INFINITY,
            bound => bound.parse().expect("a bound is a number"),
        };
        series.entry(labels).or_default().push((bound, sample.value));
    }
    for (labels, buckets) in series {
        for pair in buckets.windows(2) {
            assert!(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1, "{name}{labels:?}: {pair:?} does not rise");
        }
        let last = buckets.last().expect("a bucket");
        assert!(last.0.is_infinite(), "{name}: no +Inf");
        for suffix in ["_count", "_sum"] {
            let wanted = format!("{name}{suffix}");
            let found = family.samples.iter().find(|sample| sample.name == wanted && sample.labels == labels);
            let found = found.unwrap_or_else(|| panic!("{wanted}{labels:?} is missing"));
            if suffix == "_count" {
                assert!((found.value - last.1).abs() < f64::EPSILON, "{wanted} is not the last bucket");
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest, line),
        None => (Labels::new(), rest),
    };
    let value = value.strip_prefix(' ').unwrap_or_else(|| panic!("no value: {line}"));
    assert!(!value.contains(' '), "something after the value: {line}");
    let value = value.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
    Sample { name: name.to_owned(), labels, value }
}

/// Reads labels up to the closing brace; returns what follows it.
fn labels<'l>(mut rest: &'l str, line: &str) -> (Labels, &'l str) {
    let mut labels = Labels::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return (labels, rest);
        }
        if !labels.is_empty() {
            rest = rest.strip_prefix(',').unwrap_or_else(|| panic!("no comma: {line}"));
        }
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(is_name(name), "{line}");
        let mut text = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("the quote is not closed: {line}")) {
                (at, '"') => break at,
                (_, '\\') => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => text.push(escaped),
                    other => panic!("no such escape: {other:?} in {line}"),
                },
                (_, character) => text.push(character),
            }
        };
        assert!(labels.insert(name.to_owned(), text).is_none(), "a label twice: {line}");
        rest = &value[end + 1..];
    }
}
