//! Behind load balancers that cut what is silent: a session that is kept alive is not cut.

use std::path::Path;

use super::{Foreign, free_port, printed};
use crate::support::program::{Mediator, d2mtop, key_file};

/// haproxy that cuts what is silent for two seconds.
fn haproxy(home: &Path, port: u16, mediator: u16) -> Option<Foreign> {
    let file = home.join("haproxy.cfg");
    let text = format!(
        "defaults\n mode http\n timeout connect 5s\n timeout client 2s\n timeout server 2s\n timeout tunnel 2s\n\
         listen mediator\n bind 127.0.0.1:{port}\n server mediator 127.0.0.1:{mediator}\n"
    );
    std::fs::write(&file, text).unwrap();
    Foreign::start("haproxy", &["-db", "-f", file.to_str().unwrap()], port)
}

/// nginx that does the same.
fn nginx(home: &Path, port: u16, mediator: u16) -> Option<Foreign> {
    let file = home.join("nginx.conf");
    let directory = home.display();
    let text = format!(
        "daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log; events {{}} http {{ access_log off; \
         client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/f; \
         uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s; \
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{mediator}; \
         proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; \
         proxy_read_timeout 2s; proxy_send_timeout 2s; }} }} }}"
    );
    std::fs::write(&file, text).unwrap();
    Foreign::start("nginx", &["-c", file.to_str().unwrap()], port)
}

#[test]
fn what_is_kept_alive_is_not_cut_and_what_is_silent_is() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let key = key_file(home);
    let ports = [free_port(), free_port()];
    let balancers = [haproxy(home, ports[0], mediator.port), nginx(home, ports[1], mediator.port)];
    for (port, dialect) in
        ports.into_iter().zip(["dgk", "mk"]).zip(&balancers).filter_map(|(way, there)| there.as_ref().map(|_| way))
    {
        let url = format!("ws://127.0.0.1:{port}/");
        let watch = |keep_alive: &str| {
            let arguments = ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect];
            let rest = ["--stay-leader", "--for", "6s", "--keep-alive", keep_alive];
            printed(&mut d2mtop(home, &[&arguments[..], &rest].concat()))
        };
        let (words, code) = watch("1s");
        assert_eq!(code, Some(0), "{words}");
        let (words, code) = watch("10m");
        // A ping 10 s after the queue is dry looks for the leader; until then nothing is sent.
        assert_eq!(code, Some(4), "{words}");
    }
}

#[test]
fn a_span_that_keeps_nothing_alive_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for span in ["0s", "11m", "often"] {
        let key = key_file(home.path());
        let arguments =
            ["watch", "--url", "ws://127.0.0.1:1/", "--key-file", key.to_str().unwrap(), "--keep-alive", span];
        let (words, code) = printed(&mut d2mtop(home.path(), &arguments));
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("1s to 10m"), "{words}");
    }
}
