//! The examples as a reader runs them, with input that is real.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use d2mtop::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Sealed};

use crate::support::envelopes;
use crate::support::phone::phone_reflects;
use crate::support::program::{KEY, Mediator, d2mtop, key_file};
use crate::support::watching::Watching;

/// An example, which `cargo test` builds next to the program.
fn example(name: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_d2mtop"));
    let mut command = Command::new(program.with_file_name("examples").join(name));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn decode_prints_what_is_in_an_envelope() {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let keys = GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap());
        let envelope = envelopes::text(dialect, DeviceId(1), MessageId(7), Millis(1_000));
        let sealed = hex::encode(Sealed::seal(&envelope, &keys, Nonce([3; 24])).as_bytes());
        let decode = |digits: &str| example("decode").arg(&key).args([digits, &dialect.to_string()]).output().unwrap();

        let text = printed(decode(&sealed));
        assert!(text.contains("ECHOECHO") && text.ends_with("text: hello\n"), "{dialect}: {text}");
        assert!(text.contains(&MessageId(7).to_string()), "{dialect}: {text}");

        let tampered = decode(&format!("{}00", &sealed[..sealed.len() - 2]));
        assert!(!tampered.status.success());
        let error = String::from_utf8(tampered.stderr).unwrap();
        assert!(error.contains("DoesNotDecrypt"), "{error}");
    }
}

#[test]
fn embed_mediator_tests_a_client_in_its_own_process() {
    let text = printed(example("embed_mediator").output().unwrap());
    for line in ["Listening", "LoggedIn", "ReflectionQueueDry", "Stopped"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn observe_prints_what_comes() {
    let mediator = Mediator::start(&[]);
    let key = key_file(mediator.home.path());
    // A leader, so that the example is not promoted and stays.
    let url = mediator.url();
    let arguments = ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", "dgk", "--stay-leader"];
    let _leader = Watching::until(d2mtop(mediator.home.path(), &arguments), "\"promoted\"");

    let mut observe = example("observe").args([url.as_ref(), key.as_os_str()]).spawn().unwrap();
    let lines = BufReader::new(observe.stdout.take().unwrap()).lines().map(Result::unwrap);
    mediator.await_logged("logged_in", 2);
    phone_reflects(&mediator, Dialect::Dgk, 2, "Pixel 9");
    let messages: Vec<String> = lines.filter(|line| line.starts_with("message ")).take(2).collect();
    observe.kill().unwrap();
    observe.wait().unwrap();
    assert_eq!(messages.len(), 2, "both come");
    for message in messages {
        assert!(message.contains("ECHOECHO"), "{message}");
    }
}
