//! Through CONNECT and SOCKS5 proxies: the tests' own, and real ones where they are installed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::{Encrypted, Foreign, answer, free_port, head, printed, relay, serve};
use crate::support::program::{key_file, run};

/// A CONNECT proxy that notes what it is asked; with a password only who has it gets through.
pub fn connect_proxy(password: Option<&'static str>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&asked);
    let port = serve(move |mut stream| {
        let request = head(&mut stream);
        noted.lock().unwrap().push(request.clone());
        let allowed = password.is_none_or(|password| request.contains(password));
        let Some(target) = request.split(' ').nth(1).filter(|_| allowed) else {
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
            return;
        };
        let far = TcpStream::connect(target.replace("localhost", "127.0.0.1")).unwrap();
        stream.write_all(b"HTTP/1.0 200 Connection established\r\n\r\n").unwrap();
        relay(stream, far);
    });
    (port, asked)
}

/// A SOCKS5 server without passwords that notes whether it got a name.
fn socks_proxy() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let kinds = Arc::<Mutex<Vec<u8>>>::default();
    let noted = Arc::clone(&kinds);
    let port = serve(move |mut stream| {
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).unwrap();
        stream.read_exact(&mut vec![0; greeting[1].into()]).unwrap();
        stream.write_all(&[5, 0]).unwrap();
        let mut request = [0; 4];
        stream.read_exact(&mut request).unwrap();
        noted.lock().unwrap().push(request[3]);
        let length = match request[3] {
            1 => 4,
            3 => {
                let mut length = [0];
                stream.read_exact(&mut length).unwrap();
                length[0].into()
            }
            _ => 16,
        };
        let mut target = vec![0; length];
        stream.read_exact(&mut target).unwrap();
        let mut port = [0; 2];
        stream.read_exact(&mut port).unwrap();
        let far = TcpStream::connect(("127.0.0.1", u16::from_be_bytes(port))).unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        relay(stream, far);
    });
    (port, kinds)
}

#[test]
fn the_option_the_profile_and_the_environment_lead_through_a_proxy_in_both_dialects() {
    let encrypted = Encrypted::start();
    let (port, asked) = connect_proxy(None);
    let proxy = format!("http://127.0.0.1:{port}");
    let target = format!("CONNECT localhost:{} HTTP/1.1\r\n", encrypted.mediator.port);
    for dialect in ["dgk", "mk"] {
        let said = ["--until-dry", "--proxy", &proxy];
        let (words, code) = printed(&mut encrypted.command("watch", dialect, &said));
        assert_eq!(code, Some(0), "{words}");
        for (name, value) in [("https_proxy", &proxy), ("HTTPS_PROXY", &proxy), ("ALL_PROXY", &proxy)] {
            let mut command = encrypted.command("watch", dialect, &["--until-dry"]);
            let (words, code) = printed(command.env(name, value));
            assert_eq!(code, Some(0), "{name}: {words}");
        }
    }
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(asked.len(), 8, "each went through the proxy: {asked:?}");
    assert!(asked.iter().all(|request| request.starts_with(&target)), "{asked:?}");
}

#[test]
fn what_is_excepted_or_not_encrypted_goes_without() {
    let encrypted = Encrypted::start();
    let (port, asked) = connect_proxy(None);
    let proxy = format!("http://127.0.0.1:{port}");
    let mut excepted = encrypted.command("watch", "dgk", &["--until-dry"]);
    let excepted = printed(excepted.env("https_proxy", &proxy).env("no_proxy", "example.org, localhost"));
    let mut none = encrypted.command("watch", "dgk", &["--until-dry", "--proxy", "none"]);
    let none = printed(none.env("https_proxy", &proxy));
    let plain = crate::support::program::Mediator::start(&[]);
    let key = key_file(plain.home.path());
    let url = plain.url();
    let arguments = ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--until-dry"];
    let mut unencrypted = crate::support::program::d2mtop(plain.home.path(), &arguments);
    let unencrypted = printed(unencrypted.env("all_proxy", &proxy).env("http_proxy", &proxy));
    for (words, code) in [excepted, none, unencrypted] {
        assert_eq!(code, Some(0), "{words}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn a_password_comes_from_environment_or_profile_and_is_shown_nowhere() {
    let encrypted = Encrypted::start();
    // me:hunter2
    let (port, asked) = connect_proxy(Some("Basic bWU6aHVudGVyMg=="));
    let with = format!("http://me:hunter2@127.0.0.1:{port}");
    let (words, code) = printed(&mut encrypted.command("watch", "dgk", &["--until-dry", "--proxy", &with]));
    assert_eq!((code, asked.lock().unwrap().len()), (Some(2), 0), "{words}");
    assert!(words.contains("a password does not belong on the command line") && !words.contains("hunter2"), "{words}");

    let mut command = encrypted.command("watch", "dgk", &["--until-dry"]);
    let (words, code) = printed(command.env("https_proxy", &with));
    assert_eq!(code, Some(0), "{words}");
    assert!(!words.contains("hunter2"));
    let (words, code) = printed(encrypted.command("doctor", "dgk", &[]).env("https_proxy", &with));
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("***@127.0.0.1") && !words.contains("hunter2"), "{words}");
    let without = format!("http://127.0.0.1:{port}");
    let (words, code) = printed(&mut encrypted.command("watch", "dgk", &["--until-dry", "--proxy", &without]));
    assert_eq!(code, Some(4), "{words}");
    assert!(words.contains("HTTP 407"), "{words}");

    let home = encrypted.home();
    let (key, ca) = (key_file(home), encrypted.authority.file());
    let url = format!("wss://localhost:{}/", encrypted.mediator.port);
    let add = ["profile", "add", "office", "--mediator", &url, "--key-file", key.to_str().unwrap(), "--ca"];
    assert_eq!(run(home, &[&add[..], &[ca.to_str().unwrap()]].concat()).status.code(), Some(0));
    let file = home.join(".config/d2mtop/profiles.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("mediator = ", &format!("proxy = \"{with}\"\nmediator = "), 1)).unwrap();
    for (arguments, needed) in [
        (&["watch", "office", "--until-dry"][..], "queue_dry"),
        (&["profile", "show", "office"], "***@127.0.0.1"),
        (&["profile", "list", "--json"], "***@127.0.0.1"),
        (&["doctor", "office"], "***@127.0.0.1"),
    ] {
        let (words, code) = printed(&mut crate::support::program::d2mtop(home, arguments));
        assert_eq!(code, Some(0), "{words}");
        assert!(words.contains(needed) && !words.contains("hunter2"), "{words}");
    }
    let logs = home.join(".local/state/d2mtop");
    for entry in std::fs::read_dir(logs).into_iter().flatten().flatten().filter(|entry| entry.path().is_file()) {
        assert!(!String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).contains("hunter2"));
    }
}

#[test]
fn socks_gets_a_name_or_an_address() {
    let encrypted = Encrypted::start();
    let (port, kinds) = socks_proxy();
    for (scheme, dialect, by_name) in [("socks5h", "dgk", true), ("socks5", "mk", false)] {
        let proxy = format!("{scheme}://127.0.0.1:{port}");
        let (words, code) = printed(&mut encrypted.command("watch", dialect, &["--until-dry", "--proxy", &proxy]));
        assert_eq!(code, Some(0), "{words}");
        assert_eq!(kinds.lock().unwrap().drain(..).map(|kind| kind == 3).collect::<Vec<_>>(), [by_name], "{scheme}");
    }
}

#[test]
fn the_doctor_says_what_the_proxy_answers() {
    let encrypted = Encrypted::start();
    let refused = free_port();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let answers = |text: &'static str| serve(move |stream| answer(stream, text));
    let cases = [
        (answers("HTTP/1.1 407 No\r\n\r\n"), "HTTP 407"),
        (answers("HTTP/1.1 401 Unauthorized\r\n\r\n"), "does not take these (HTTP 401)"),
        (answers("HTTP/1.0 502 Bad Gateway\r\n\r\n"), "HTTP 502"),
        (answers("HTTP/1.1 403 Filtered\n\n"), "HTTP 403"),
        (answers("SSH-2.0-OpenSSH\r\n"), "not HTTP"),
        (answers(""), "without an answer"),
        (refused, "nobody listens there; is the proxy running"),
        (silent.local_addr().unwrap().port(), "answers nothing"),
    ];
    for (port, needed) in cases {
        let proxy = format!("http://127.0.0.1:{port}");
        let (words, code) = printed(&mut encrypted.command("doctor", "dgk", &["--json", "--proxy", &proxy]));
        assert_eq!(code, Some(1), "{words}");
        let line = words.lines().find(|line| line.contains(r#""check":"proxy""#)).expect("a line for the proxy");
        assert!(line.contains(needed) && line.contains(r#""status":"fail""#), "{needed}: {line}");
    }
    let cut = answers("HTTP/1.1 200 Connection established\r\n\r\n");
    let proxy = format!("http://127.0.0.1:{cut}");
    let (words, code) = printed(&mut encrypted.command("watch", "dgk", &["--proxy", &proxy]));
    assert_eq!(code, Some(4), "{words}");
    assert!(words.contains(&format!("the proxy {proxy} leads to")), "it is not only the mediator's: {words}");
    let (words, _) = printed(&mut encrypted.command("doctor", "dgk", &["--json"]));
    let line = words.lines().find(|line| line.contains(r#""check":"proxy""#)).expect("a line for the proxy");
    assert!(line.contains("none on the way"), "{line}");
}

#[test]
fn real_proxies_lead_to_the_mediator() {
    let encrypted = Encrypted::start();
    let port = free_port();
    let configuration = encrypted.home().join("tinyproxy.conf");
    std::fs::write(&configuration, format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n")).unwrap();
    let tinyproxy = Foreign::start("tinyproxy", &["-d", "-c", configuration.to_str().unwrap()], port);
    let socks = free_port();
    let microsocks = Foreign::start("microsocks", &["-i", "127.0.0.1", "-p", &socks.to_string()], socks);
    let guarded = free_port();
    let arguments = ["-i", "127.0.0.1", "-p", &guarded.to_string(), "-u", "me", "-P", "hunter2"];
    let password = Foreign::start("microsocks", &arguments, guarded);
    let ways = [
        (tinyproxy.is_some(), format!("http://127.0.0.1:{port}"), 0),
        (microsocks.is_some(), format!("socks5h://127.0.0.1:{socks}"), 0),
        (microsocks.is_some(), format!("socks5://127.0.0.1:{socks}"), 0),
        (password.is_some(), format!("socks5h://me:hunter2@127.0.0.1:{guarded}"), 0),
        (password.is_some(), format!("socks5h://me:wrong@127.0.0.1:{guarded}"), 4),
        (password.is_some(), format!("socks5h://127.0.0.1:{guarded}"), 4),
    ];
    for (_, proxy, expected) in ways.iter().filter(|(is_there, ..)| *is_there) {
        for dialect in ["dgk", "mk"] {
            let mut command = encrypted.command("watch", dialect, &["--until-dry"]);
            let (words, code) = printed(command.env("all_proxy", proxy));
            assert_eq!(code, Some(*expected), "{proxy}: {words}");
            assert!(*expected == 0 || words.contains("asks for a user's name and password"), "{words}");
        }
    }
}
