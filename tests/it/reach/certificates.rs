//! Certificates that cannot be used, made and served by OpenSSL: each has its own sentence.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Foreign, free_port, printed};
use crate::support::program::{d2mtop, key_file};

/// What OpenSSL makes: keys, requests and certificates by name.
struct Workshop(tempfile::TempDir);

impl Workshop {
    /// With an authority in `ca.pem`; [`None`] where OpenSSL is not installed.
    fn open() -> Option<Self> {
        if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
            eprintln!("openssl is not installed: odd certificates were not tried");
            return None;
        }
        let workshop = Self(tempfile::tempdir().unwrap());
        workshop.authority("ca", "-newkey ec -pkeyopt ec_paramgen_curve:P-256");
        Some(workshop)
    }

    fn home(&self) -> &Path {
        self.0.path()
    }

    fn openssl(&self, line: &str) {
        let mut command = Command::new("openssl");
        command.args(line.split_whitespace()).current_dir(self.home()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn authority(&self, name: &str, key: &str) {
        self.openssl(&format!(
            "req -x509 {key} -nodes -keyout {name}.key -out {name}.pem -days 3650 -subj /CN={name} -addext \
             basicConstraints=critical,CA:TRUE"
        ));
    }

    /// A certificate by that authority; without extensions it is of version 1.
    fn signed(&self, name: &str, key: &str, by: &str, how: &str, extensions: &str) {
        self.openssl(&format!("req {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        std::fs::write(self.home().join("extensions"), extensions).unwrap();
        let extended = if extensions.is_empty() { "" } else { "-extfile extensions" };
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {by}.pem -CAkey {by}.key -CAcreateserial -out {name}.pem {how} {extended}"
        ));
    }

    /// Serves a certificate, and looks at it with a command.
    fn look(&self, name: &str, more: &str, host: &str, arguments: &[&str]) -> (String, Option<i32>) {
        let port = free_port();
        let file = |file: String| self.home().join(file).to_str().unwrap().to_owned();
        let (certificate, private) = (file(format!("{name}.pem")), file(format!("{name}.key")));
        let accept = format!("127.0.0.1:{port}");
        let mut serve = vec!["s_server", "-www", "-accept", &accept, "-cert", &certificate, "-key", &private];
        serve.extend(["-cipher", "ALL:@SECLEVEL=0"]);
        let chain = file(more.to_owned());
        if !more.is_empty() {
            serve.extend(["-cert_chain", &chain]);
        }
        let _server = Foreign::start("openssl", &serve, port).expect("it is installed");
        let (url, key) = (format!("wss://{host}:{port}/"), key_file(self.home()));
        let (command, rest) = arguments.split_first().unwrap();
        let all = [&[*command, "--url", &url, "--key-file", key.to_str().unwrap()], rest].concat();
        printed(&mut d2mtop(self.home(), &all))
    }
}

const P256: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
const P521: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-521";
const LOCALHOST: &str = "subjectAltName=DNS:localhost";

#[test]
fn each_odd_certificate_has_its_own_sentence() {
    let Some(workshop) = Workshop::open() else { return };
    let home = workshop.home();
    workshop.authority("p521", P521);
    workshop.signed("middle", P256, "ca", "-days 30", "basicConstraints=critical,CA:TRUE");
    workshop.signed("alone", P256, "middle", "-days 300", LOCALHOST);
    workshop.signed("short", "-newkey rsa:1024", "ca", "-days 300", LOCALHOST);
    workshop.signed("sha1", P256, "ca", "-days 300 -sha1", LOCALHOST);
    workshop.signed("curve", P521, "ca", "-days 300", LOCALHOST);
    workshop.signed("by-curve", P256, "p521", "-days 300", LOCALHOST);
    workshop.signed("first", P256, "ca", "-days 300", "");
    workshop.signed("address", P256, "ca", "-days 300", "subjectAltName=DNS:127.0.0.1");
    workshop.signed("nameless", P256, "ca", "-days 300", "basicConstraints=critical,CA:FALSE");
    let (ca, p521) = (home.join("ca.pem"), home.join("p521.pem"));
    let (ca, p521) = (ca.to_str().unwrap(), p521.to_str().unwrap());
    for (name, host, trusted, sentence) in [
        ("alone", "localhost", ca, "give the whole chain (fullchain.pem); for an authority of its own, use --ca FILE"),
        ("nameless", "localhost", ca, "names no host (subjectAltName)"),
        ("short", "localhost", ca, "has an RSA key of 1024 bits"),
        ("sha1", "localhost", ca, "is signed with SHA-1"),
        ("curve", "localhost", ca, "P-521 is not known"),
        ("by-curve", "localhost", p521, "on the curve P-521"),
        ("first", "localhost", ca, "is of X.509 version 1"),
        ("address", "127.0.0.1", ca, "subjectAltName=IP:127.0.0.1"),
    ] {
        let (words, code) = workshop.look(name, "", host, &["watch", "--until-dry", "--ca", trusted]);
        assert_eq!(code, Some(4), "{name}: {words}");
        assert!(words.contains(sentence), "{name}: {words}");
    }

    // With the whole chain it is good, until the first of its certificates is not.
    let before = chrono::Utc::now();
    let (words, _) = workshop.look("alone", "middle.pem", "localhost", &["doctor", "--ca", ca]);
    let ends = |from: chrono::DateTime<chrono::Utc>| (from + chrono::Days::new(30)).format("%Y-%m-%d").to_string();
    let until = [ends(before - chrono::TimeDelta::minutes(10)), ends(before)];
    assert!(until.iter().any(|day| words.contains(&format!("good until {day}"))), "{until:?}: {words}");

    // Some kinds cannot be accepted at all, and the help says which.
    let any = ["watch", "--until-dry", "--dangerously-accept-any-certificate=even-unattended"];
    for (name, sentence) in [("short", "1024 bits"), ("curve", "P-521 is not known"), ("first", "version 1")] {
        let (words, code) = workshop.look(name, "", "localhost", &any);
        assert_eq!(code, Some(4), "{name}: {words}");
        assert!(words.contains(sentence), "{name}: {words}");
    }
    for name in ["alone", "sha1", "address"] {
        let (words, _) = workshop.look(name, "", "localhost", &any);
        assert!(words.contains("HTTP 200"), "TLS is done, and then there is a web server: {name}: {words}");
    }

    let half = home.join("half.pem");
    let whole = std::fs::read(ca).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    let (words, code) = workshop.look("alone", "", "localhost", &["watch", "--ca", half.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("half.pem ends or breaks off within a certificate"), "{words}");

    let marked = home.join("marked.pem");
    for mark in [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"] {
        std::fs::write(&marked, [mark, &std::fs::read(ca).unwrap()].concat()).unwrap();
        let look = ["watch", "--until-dry", "--ca", marked.to_str().unwrap()];
        let (words, code) = workshop.look("alone", "", "localhost", &look);
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("byte order mark"), "{words}");
    }
}
