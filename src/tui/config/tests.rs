use std::collections::BTreeMap;

use super::*;

fn read(text: &str) -> Result<(Config, Preferences), String> {
    parse(Path::new("config.toml"), text).map_err(|error| error.to_string())
}

/// All that is a comment without a space is a setting.
fn uncommented(sample: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
        _ => format!("{line}\n"),
    };
    sample.lines().map(line).collect()
}

#[test]
fn the_sample_says_the_defaults() {
    let sample = config_sample();
    assert_eq!(read(&sample).unwrap().0, Config::default(), "as it is printed it changes nothing");
    let (config, preferences) = read(&uncommented(&sample)).unwrap();
    assert_eq!(preferences.keymap, Keymap::default());
    let mine = BTreeMap::from([("mine".to_owned(), "from:me".to_owned())]);
    let keys = config.keys.clone();
    assert_eq!(config, Config { filters: mine, keys, ..Config::default() });
    assert!(sample.lines().all(|line| line.len() <= 120), "it is read in a terminal");
}

#[test]
fn what_is_shown_is_a_configuration_that_says_the_same() {
    let text = "theme = \"nord\"\nsort = \"-name\"\n[keys]\ndrop = [\"X\", \"F8\"]\nrefresh = []\n";
    let (config, preferences) = read(text).unwrap();
    let shown = UserConfig { config: config.clone(), preferences, path: None }.show();
    let (again, _) = read(&shown).unwrap();
    assert_eq!(Config { keys: BTreeMap::new(), ..again.clone() }, Config { keys: BTreeMap::new(), ..config });
    assert_eq!(
        (again.keys["drop"].0.as_slice(), again.keys["refresh"].0.len()),
        (&["X".to_owned(), "F8".to_owned()][..], 0)
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, words) in [
        ("theme = \"auto\"\nthem = \"dark\"\n", "line 2: unknown field `them`, expected one of `theme`"),
        ("\n\ntheme = \"drak\"\n", "line 3: drak is no theme; there is auto, dark"),
        ("theme = 3\n", "line 1: invalid type: integer `3`, expected a string"),
        ("mouse = \"no\"\n", "line 1: invalid type"),
        ("feed-rows = 0\n", "line 1: 0 is not from 1"),
        ("\nfeed-rows = -1\n", "line 2: "),
        ("columns = [\"id\", \"colour\"]\n", "line 1: colour is no column; there is id, stored"),
        ("sort = \"age\"\n", "line 1: age is no order"),
        ("start-pane = \"top\"\n", "line 1: top is no pane"),
        ("[time]\nzone = \"mars\"\n", "line 2: mars is neither"),
        ("[time]\nformat = \"%Q\"\n", "line 2: %Q is no time format"),
        ("[time]\nfromat = \"%H\"\n", "line 2: unknown field `fromat`"),
        ("[thresholds]\nack = { slow = \"soon\" }\n", "line 2: soon is no span of time"),
        ("[thresholds.waited]\nslow = \"2m\"\n", "line 1: slow has to come before late"),
        ("[filters]\nmine = \"kin:text\"\n", "line 2: mine: there is no “kin:”"),
        ("[filters]\n\"a b\" = \"x\"\n", "line 2: a b is no name"),
        ("[filters]\na = \"x\"\nb = \"@a\"\n", "line 3: b names another saved filter"),
        ("[keys]\n\ndorp = \"X\"\n", "line 3: there is no action dorp (is drop meant?)"),
        ("[keys]\nzoom = \"Z\"\ndrop = \"r\"\n", "line 3: drop: r is refresh already"),
        ("[keys]\nprobe = \"Y\"\ndrop = \"Y\"\n", "line 3: drop: Y is probe already"),
        ("[keys]\ndrop = \"Enter\"\n", "line 2: drop: Enter also answers the dialog"),
        ("[keys]\ndrop = true\n", "line 2: invalid type: boolean `true`, expected a key"),
        ("keys.drop = \"XX\"\n", "line 1: drop: XX is no key"),
        ("theme = \"dark\"\ntheme = \"light\"\n", "line 2: duplicate key"),
        ("theme = \n", "line 1: "),
    ] {
        let told = read(text).unwrap_err();
        assert!(told.starts_with(&format!("config.toml, {words}")), "{text:?}: {told}");
    }
}

#[test]
fn the_schema_knows_what_the_file_knows() {
    let schema: serde_json::Value = serde_json::from_str(&config_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json = |text: &str| toml_edit::de::from_str::<serde_json::Value>(text).unwrap();
    assert!(validator.is_valid(&json(&uncommented(&config_sample()))));
    for wrong in ["them = 1", "mouse = \"no\"", "[keys]\ndorp = \"x\"", "[keys]\ndrop = true", "[time]\nzon = 1"] {
        assert!(!validator.is_valid(&json(wrong)), "{wrong}");
    }
}
