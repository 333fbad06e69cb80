//! The configuration: read before the terminal is taken, and in force after.

use std::fs;
use std::path::Path;

use super::wait_until_live;
use crate::support::program::run;
use crate::support::terminal::Terminal;

fn configure(home: &Path, text: &str) {
    let directory = home.join(".config/d2mtop");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.toml"), text).unwrap();
}

fn demo(home: &Path, more: &[&str]) -> Terminal {
    let arguments = [&["demo", "--rate", "20"], more].concat();
    Terminal::start(&arguments, 30, 100, &[("HOME", home.to_str().unwrap())])
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_line_and_the_terminal_stays() {
    let home = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("mouse = true\nthem = \"dark\"\n", "config.toml, line 2: unknown field `them`"),
        ("[keys]\ndrop = \"r\"\n", "config.toml, line 2: drop: r is refresh already"),
        ("theme = \"drak\"\n", "config.toml, line 1: drak is no theme"),
    ] {
        configure(home.path(), text);
        let mut terminal = demo(home.path(), &[]);
        assert_eq!(terminal.end().exit_code(), 2);
        let told = String::from_utf8_lossy(&terminal.raw).into_owned();
        assert!(told.contains(words) && !told.contains("[?1049h"), "{told}");
        let shown = run(home.path(), &["config", "show"]);
        assert_eq!(shown.status.code(), Some(2));
        assert!(String::from_utf8(shown.stderr).unwrap().contains(words));
    }
}

#[test]
fn keys_theme_order_and_filters_are_as_they_are_configured() {
    let home = tempfile::tempdir().unwrap();
    let text = "theme = \"gruvbox-dark\"\nstart-pane = \"feed\"\nsort = \"-name\"\n[time]\nzone = \"utc\"\n[filters]\n\
                phone = \"from:pixel\"\n[keys]\ndrop = \"X\"\nquit = \"Q\"\n";
    configure(home.path(), text);
    let mut terminal = demo(home.path(), &[]);
    wait_until_live(&mut terminal);
    terminal.wait_for("▸4 Feed");
    terminal.wait_for("↑ name");
    terminal.wait_for("X drop");
    terminal.press("/@ph\t\r");
    terminal.wait_for("filter @phone");
    terminal.press("?");
    terminal.wait_for("In the pane Feed");
    // The help can be searched, and shows the key.
    terminal.press("/drop the sel\r");
    terminal.wait_for("X  drop the selected");
    terminal.press("\u{1b}");
    terminal.wait_for("In the pane Feed");
    terminal.press("\u{1b}");
    terminal.wait("the help to close", |screen| !screen.contents().contains("In the pane Feed"));
    // The key of the table means nothing any more, and that is said.
    terminal.press("D");
    terminal.wait_for("D does nothing here; ? lists the keys");
    terminal.press("1X");
    terminal.wait_for("Cancel");
    terminal.press("n");
    terminal.wait("the dialog to close", |screen| !screen.contents().contains("Cancel"));
    terminal.press("Q");
    assert_eq!(terminal.end().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_russian_keyboard_drops_a_device_as_a_latin_one_does() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(home.path(), &[]);
    wait_until_live(&mut terminal);
    terminal.wait_for("Devices ─ 5");
    terminal.press("В");
    terminal.wait_for("Cancel");
    terminal.press("н\r");
    terminal.wait_for("Devices ─ 4");
    terminal.press("й");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn the_sample_is_a_configuration_and_what_is_shown_too() {
    let home = tempfile::tempdir().unwrap();
    let sample = String::from_utf8(run(home.path(), &["config", "sample"]).stdout).unwrap();
    configure(home.path(), &sample);
    let shown = run(home.path(), &["config", "show"]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    configure(home.path(), &String::from_utf8(shown.stdout.clone()).unwrap());
    assert_eq!(run(home.path(), &["config", "show"]).stdout, shown.stdout);
    let schema: serde_json::Value = serde_json::from_slice(&run(home.path(), &["config", "schema"]).stdout).unwrap();
    assert!(schema["properties"]["keys"]["propertyNames"]["enum"].as_array().unwrap().contains(&"drop".into()));
    assert!(!home.path().join(".local").exists(), "whoever asks leaves no trace");
}
