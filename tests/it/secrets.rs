//! No secret is ever printed: the real binary, run in many ways that go well and badly, and everything it wrote searched.

use crate::support::program;
use crate::support::terminal;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use d2mtop::profile::secrets::{PassphraseSource, Store};
use d2mtop::protocol::{Dialect, GroupKeys, GroupSecret};
use program::{KEY, Mediator, d2mtop, key_file, run};
use terminal::Terminal;

/// Another key, which the mediator does not know.
const OTHER_KEY: &str = "c2a9f01b7e6d4835a1b0c9d8e7f60514233241506f7e8d9cabbac9d8e7f60514";

/// What a secret looks like in text, in bytes and in Rust's debug output.
fn forms(hex_digits: &str) -> Vec<Vec<u8>> {
    let bytes = hex::decode(hex_digits).unwrap();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes);
    let list = format!("{bytes:?}");
    let mut forms = Vec::new();
    // Halves too: a piece of a key is a secret as well.
    for digits in [&hex_digits[..32], &hex_digits[32..]] {
        forms.push(digits.to_lowercase().into_bytes());
        forms.push(digits.to_uppercase().into_bytes());
    }
    for half in bytes.chunks(16) {
        forms.push(half.to_vec());
    }
    forms.push(base64.into_bytes());
    // Without the brackets, so that any list with these numbers is found.
    forms.push(list.trim_matches(['[', ']']).split(", ").take(16).collect::<Vec<_>>().join(", ").into_bytes());
    forms
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// Everything a run wrote.
#[derive(Default)]
struct Written(Vec<(String, Vec<u8>)>);

impl Written {
    fn output(&mut self, what: &str, output: Output) {
        program::schema::assert_documented(&output.stdout, &program::schema::EVENTS);
        self.0.push((format!("{what}: stdout"), output.stdout));
        self.0.push((format!("{what}: stderr"), output.stderr));
    }

    /// All files below a home directory but the key files themselves.
    fn files(&mut self, home: &Path) {
        let mut directories = vec![home.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_none_or(|extension| extension != "key") {
                    self.0.push((path.display().to_string(), fs::read(&path).unwrap()));
                }
            }
        }
    }

    fn find(&self, hex_digits: &str) -> Vec<&str> {
        let forms = forms(hex_digits);
        let shows = |written: &[u8]| forms.iter().any(|form| contains(written, form));
        self.0.iter().filter(|(_, written)| shows(written)).map(|(place, _)| place.as_str()).collect()
    }

    fn assert_holds_no_secret(&self) {
        for secret in [KEY, OTHER_KEY] {
            assert_eq!(self.find(secret), Vec::<&str>::new(), "a key was written");
        }
    }
}

fn other_key_file(directory: &Path, contents: &str, mode: u32) -> PathBuf {
    let path = directory.join(format!("{}.key", contents.len() + mode as usize));
    fs::write(&path, contents).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let bytes = hex::decode(KEY).unwrap();
    let [text, upper, list] = [KEY.to_owned(), KEY.to_uppercase(), format!("{bytes:?}")].map(String::into_bytes);
    for shown in [text, upper, bytes, list] {
        let written = Written(vec![("here".to_owned(), [b"before ", shown.as_slice(), b" after"].concat())]);
        assert_eq!(written.find(KEY), ["here"]);
        assert!(written.find(OTHER_KEY).is_empty());
    }
}

#[test]
fn nothing_that_watch_and_mediator_write_holds_a_key() {
    let mut written = Written::default();
    let mut mediator = Mediator::start(&["--log-level", "debug"]);
    let home = mediator.home.path().to_owned();
    let (url, key) = (mediator.url(), key_file(&home));
    let key = key.to_str().unwrap();
    let cut = other_key_file(&home, &OTHER_KEY[..63], 0o600);
    let long = other_key_file(&home, &format!("{OTHER_KEY}{OTHER_KEY}"), 0o600);
    let open = other_key_file(&home, OTHER_KEY, 0o644);
    let wrong = other_key_file(&home, OTHER_KEY, 0o600);
    let [cut, long, open, wrong] = [&cut, &long, &open, &wrong].map(|path| path.to_str().unwrap());
    let closed = "ws://127.0.0.1:1/";
    let runs: [(&str, Vec<&str>); 11] = [
        ("dgk", vec!["--url", &url, "--key-file", key, "--until-dry"]),
        ("mk", vec!["--url", &url, "--key-file", key, "--until-dry", "--dialect", "mk"]),
        ("another key", vec!["--url", &url, "--key-file", wrong, "--until-dry"]),
        ("unknown device", vec!["--url", &url, "--key-file", key, "--until-dry", "--expect", "existing"]),
        ("no mediator", vec!["--url", closed, "--key-file", key, "--for", "2s"]),
        ("cut key", vec!["--url", &url, "--key-file", cut]),
        ("long key", vec!["--url", &url, "--key-file", long]),
        ("open key", vec!["--url", &url, "--key-file", open]),
        ("not a URL", vec!["--url", "nonsense", "--key-file", key]),
        ("bad group", vec!["--url", &url, "--key-file", key, "--server-group", "!"]),
        ("unknown option", vec!["--url", &url, "--key-file", key, "--unknown"]),
    ];
    for (what, options) in runs {
        let arguments = [&["watch", "--log-level", "debug"], options.as_slice()].concat();
        written.output(what, run(&home, &arguments));
    }
    let panicked = d2mtop(&home, &["watch", "--url", &url, "--key-file", key, "--for", "3s"])
        .env("D2MTOP_PANIC_IN", "session")
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    if cfg!(debug_assertions) {
        assert!(contains(&panicked.stderr, b"a fault on purpose"), "{}", String::from_utf8_lossy(&panicked.stderr));
    }
    written.output("a panic", panicked);
    rustix::process::kill_process(mediator.process(), rustix::process::Signal::INT).unwrap();
    mediator.wait();
    written.files(&home);
    for file in [".log", "mediator.out"] {
        let searched = |(place, text): &(String, Vec<u8>)| place.ends_with(file) && !text.is_empty();
        assert!(written.0.iter().any(searched), "{file} was searched too");
    }
    written.assert_holds_no_secret();
}

#[test]
fn nothing_that_the_dashboard_writes_holds_a_key() {
    let mut written = Written::default();
    let mediator = Mediator::start(&[]);
    let (url, key) = (mediator.url(), key_file(mediator.home.path()));
    let arguments = ["--url", &url, "--key-file", key.to_str().unwrap(), "--stay-leader", "--log-level", "debug"];
    for fault in ["", "session"] {
        let mut terminal = Terminal::start(&arguments, 30, 100, &[("D2MTOP_PANIC_IN", fault)]);
        if fault.is_empty() || !cfg!(debug_assertions) {
            terminal.wait_for("live");
            terminal.press("?");
            terminal.wait_for("┌─ Keys ─");
            terminal.press("\u{1b}");
            terminal.wait("the help to close", |screen| !screen.contents().contains("┌─ Keys ─"));
            terminal.press("q");
        }
        terminal.end();
        written.0.push((format!("screen, fault in {fault:?}"), terminal.raw.clone()));
        written.files(terminal.home());
    }
    written.assert_holds_no_secret();
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_a_running_process_is_not_dumped() {
    let mediator = Mediator::start(&[]);
    let process = mediator.process().as_raw_nonzero();
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"], "{core}");
    // A process that may not be dumped belongs to root in /proc, whoever runs it; as root that shows nothing.
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("/proc/{process}/environ")).unwrap());
    assert_eq!(owner, 0);
    // What everybody may read stays readable.
    assert!(fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains("d2mtop"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_key_is_never_in_arguments_or_environment() {
    let mediator = Mediator::start(&[]);
    let (url, key) = (mediator.url(), key_file(mediator.home.path()));
    let mut watch: Command =
        d2mtop(mediator.home.path(), &["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--stay-leader"]);
    let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    while !line.contains("logged_in") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0, "the watch logs in");
    }
    let mut written = Written::default();
    for file in ["cmdline", "environ"] {
        // Only root may read the environment now, which is well.
        if let Ok(text) = fs::read(format!("/proc/{}/{file}", child.id())) {
            written.0.push((file.to_owned(), text));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!written.0.is_empty());
    written.assert_holds_no_secret();
}

const PASSPHRASE: &str = "hünter2 of the test";
const PROMPT_HOME: &str = "D2MTOP_TEST_PROMPT_HOME";

/// What the process in the terminal does; nothing when the tests themselves are run.
#[test]
fn the_process_that_asks() {
    let Ok(home) = std::env::var(PROMPT_HOME) else { return };
    let store = Store::PassphraseFile(Path::new(&home).join("work.sealed"));
    let mut asking = PassphraseSource::new(None);
    println!("slip: {}", store.save("work", &GroupSecret::from_hex(KEY).unwrap(), &mut asking).unwrap_err());
    store.save("work", &GroupSecret::from_hex(KEY).unwrap(), &mut asking).unwrap();
    println!("saved");
    println!("wrong: {}", store.load("work", &mut asking).unwrap_err());
    store.load("work", &mut asking).unwrap();
    println!("loaded");
    println!("cancelled: {}", store.load("work", &mut asking).unwrap_err());
}

#[test]
fn a_typed_passphrase_is_not_shown_and_opens_what_it_sealed() {
    let home = tempfile::tempdir().unwrap();
    let size = portable_pty::PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pty = portable_pty::native_pty_system().openpty(size).unwrap();
    let mut command = portable_pty::CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "secrets::the_process_that_asks", "--nocapture"]);
    command.env(PROMPT_HOME, home.path());
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut screen = pty.master.try_clone_reader().unwrap();
    let mut keys = pty.master.take_writer().unwrap();
    let mut shown = String::new();
    let mut wait_for = |question: &str| {
        let (mut byte, mut seen) = ([0], String::new());
        while !seen.ends_with(question) {
            assert!(screen.read(&mut byte).is_ok_and(|count| count == 1), "no {question:?} in {seen}");
            seen.push(byte[0].into());
        }
        shown.push_str(&seen);
    };
    let typo = PASSPHRASE.replace('2', "3");
    let answers = [
        ("work.sealed: ", PASSPHRASE),
        ("The same again: ", &typo),
        ("work.sealed: ", PASSPHRASE),
        ("The same again: ", PASSPHRASE),
        ("saved", ""),
        ("work.sealed: ", &typo),
        ("work.sealed: ", PASSPHRASE),
        ("loaded", ""),
        ("work.sealed: ", "hünter\u{3}"),
        ("cancelled: no passphrase was given", ""),
    ];
    for (question, answer) in answers {
        wait_for(question);
        if !answer.is_empty() {
            keys.write_all(format!("{answer}\r").as_bytes()).unwrap();
        }
    }
    wait_for("test result: ok");
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("the two passphrases differ") && shown.contains("passphrase is wrong"), "{shown}");
    for piece in ["nter2", "nter3", "of the test", KEY] {
        assert!(!shown.contains(piece), "{shown}");
    }
    let mut written = Written::default();
    written.files(home.path());
    assert!(written.0.iter().any(|(place, _)| place.ends_with("work.sealed")));
    written.assert_holds_no_secret();
}

#[test]
fn nothing_that_an_import_writes_holds_its_password_or_keys() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors.json"))).unwrap();
    let vector = |name: &str| vectors["desktop_keystorage"][name].as_str().unwrap();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let data = home.join(".local/share/ThreemaDesktop/consumer-live-default/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("keystorage.pb3"), hex::decode(vector("file")).unwrap()).unwrap();
    let mut written = Written::default();
    let mut feed = |what: &str, input: &str, arguments: &[&str]| {
        let mut command = d2mtop(home, &[arguments, &["--log-level", "debug"]].concat());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes());
        let output = child.wait_with_output().unwrap();
        let code = output.status.code();
        written.output(what, output);
        code
    };
    let import = ["profile", "import", "home", "--threema-desktop", "--password-fd", "0"];
    assert_eq!(feed("wrong", "wrong horse", &import), Some(2));
    assert_eq!(feed("right", vector("password"), &import), Some(0));
    let seal = ["profile", "move", "home", "--to", "passphrase-file", "--passphrase-fd", "0"];
    assert_eq!(feed("seal", PASSPHRASE, &seal), Some(0));
    assert_eq!(feed("show", "", &["profile", "show", "home"]), Some(0));
    written.files(home);
    assert!(written.0.iter().any(|(place, _)| place.ends_with("home.sealed")));
    for (place, bytes) in &written.0 {
        for word in ["wrong horse", vector("password"), PASSPHRASE] {
            assert!(!contains(bytes, word.as_bytes()), "{word:?} is in {place}");
        }
    }
    assert_eq!(written.find(vector("expect_dgk")), Vec::<&str>::new(), "the group's key was written");
    assert_eq!(written.find(vector("derived_key")), Vec::<&str>::new(), "the storage's key was written");
}

/// The keys that are derived from the fixture are as secret as it is, but the group's name is not.
#[test]
fn the_name_of_the_group_is_not_the_key() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let keys = GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap());
        assert_ne!(keys.device_group_id().to_string(), KEY);
        assert!(!format!("{keys:?}").contains(&KEY[..16]));
    }
}
