//! A dry watch ends well only if the mediator has what was acknowledged.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use d2mtop::protocol::Dialect;

use super::{head, printed, relay, serve};
use crate::support::noting::add_profile_at;
use crate::support::phone::phone_reflects;
use crate::support::program::{Mediator, d2mtop};

/// Passes one frame of a client on.
fn pass_frame(near: &mut TcpStream, far: &mut TcpStream) -> std::io::Result<()> {
    let mut start = [0; 2];
    near.read_exact(&mut start)?;
    far.write_all(&start)?;
    let length = match start[1] & 0x7f {
        126 => {
            let mut length = [0; 2];
            near.read_exact(&mut length)?;
            far.write_all(&length)?;
            u16::from_be_bytes(length).into()
        }
        length => usize::from(length),
    };
    let mut rest = vec![0; 4 + length];
    near.read_exact(&mut rest)?;
    far.write_all(&rest)
}

/// Lets the login and the request for the list through, and nothing after them; some time later it cuts the connection.
fn swallow(mut near: TcpStream, mut far: TcpStream) {
    far.write_all(head(&mut near).as_bytes()).unwrap();
    let (mut from, mut to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
    let back = thread::spawn(move || std::io::copy(&mut from, &mut to));
    for _ in 0..2 {
        pass_frame(&mut near, &mut far).unwrap();
    }
    near.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    while near.read(&mut [0; 1_024]).is_ok_and(|count| count > 0) {}
    let _ = (near.shutdown(Shutdown::Both), far.shutdown(Shutdown::Both));
    let _ = back.join();
}

#[test]
fn one_that_is_made_leader_sees_at_once_whether_anything_comes_again() {
    for dialect in [Dialect::Dgk, Dialect::Mk] {
        let mediator = Mediator::start(&[]);
        add_profile_at(&mediator.url(), &mediator, dialect);
        let home = mediator.home.path();
        let watch = || printed(&mut d2mtop(home, &["watch", "home", "--until-dry", "--reconnect", "always"]));
        assert_eq!(watch().1, Some(0));
        phone_reflects(&mediator, dialect, 7, "phone");
        let began = Instant::now();
        let (words, code) = watch();
        assert_eq!(code, Some(0), "{words}");
        assert!(words.contains(r#""event":"reflected""#) && words.contains(r#""event":"promoted""#), "{words}");
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}: {words}", began.elapsed());
        assert_eq!(words.matches(r#""event":"logged_in""#).count(), 2, "the second login is the proof: {words}");
    }
}

#[test]
fn what_the_mediator_never_got_is_acknowledged_again_before_the_end() {
    for dialect in [Dialect::Dgk, Dialect::Mk] {
        let mediator = Mediator::start(&[]);
        let (to, home) = (mediator.port, mediator.home.path());
        let (connections, swallowed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, swallows) = (Arc::clone(&connections), Arc::clone(&swallowed));
        let port = serve(move |near| {
            counted.fetch_add(1, Ordering::SeqCst);
            let far = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let one_less = |left: usize| left.checked_sub(1);
            if swallows.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                swallow(near, far);
            } else {
                relay(near, far);
            }
        });
        add_profile_at(&format!("ws://127.0.0.1:{port}/"), &mediator, dialect);
        let watch =
            || printed(&mut d2mtop(home, &["watch", "home", "--until-dry", "--reconnect", "always", "--stay-leader"]));
        let (words, code) = watch();
        assert_eq!(code, Some(0), "{words}");
        phone_reflects(&mediator, dialect, 7, "phone");
        swallowed.store(1, Ordering::SeqCst);
        connections.store(0, Ordering::SeqCst);
        let (words, code) = watch();
        assert_eq!(code, Some(0), "{words}");
        assert_eq!(connections.load(Ordering::SeqCst), 2, "it comes again: {words}");
        let (words, code) = watch();
        assert_eq!(code, Some(0), "{words}");
        assert!(!words.contains(r#""event":"reflected""#), "the mediator has every acknowledgement: {words}");
    }
}
