//! Logs in to a mediator as a device of its own, prints what comes, and does no harm: it gives the leader role up.
//!
//! ```text
//! cargo run --example observe --no-default-features --features net -- wss://mediator.example/ group.key [mk|dgk]
//! ```
//!
//! The key file holds 64 hex digits. What is printed counts as durable: it is acknowledged and does not come again. The
//! slot is new each time, and volatile: the mediator drops it some time after the connection has ended.

use std::error::Error;
use std::time::{Duration, SystemTime};

use d2mtop::group::event::to_acknowledge;
use d2mtop::net::{Address, Link, LinkEvent, TlsOptions};
use d2mtop::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, Millis, ServerGroup};
use d2mtop::session::{Config, Input, Output, Session};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, key_file, dialect) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [url, key_file] | [url, key_file, "dgk"] => (url, key_file, Dialect::Dgk),
        [url, key_file, "mk"] => (url, key_file, Dialect::Mk),
        _ => return Err("usage: observe URL KEY_FILE [mk|dgk]".into()),
    };
    let secret = GroupSecret::from_hex(std::fs::read_to_string(key_file)?.trim())?;
    let mut random = StdRng::from_entropy();
    let config = Config::of(GroupKeys::derive(dialect, &secret).into(), DeviceId(random.r#gen()));
    let session = Session::new(config, random);
    let url = session.url(url, ServerGroup::parse("01", dialect)?);
    observe(session, &Address::new(&url, &TlsOptions::default())?).await;
    Ok(())
}

/// Tells the session what happens, and does what it says, until it is over.
async fn observe(mut session: Session, address: &Address) {
    let mut link = None;
    session.handle(now(), Input::Timer);
    while !session.is_over() {
        while let Some(output) = session.poll() {
            act(&mut session, address, &mut link, output).await;
        }
        let wait = session.deadline().map_or(Duration::MAX, |deadline| deadline.since(now()));
        let input = tokio::select! {
            event = next(&mut link) => event.map_or(Input::Flushed, Input::from),
            () = tokio::time::sleep(wait) => Input::Timer,
        };
        session.handle(now(), input);
    }
}

async fn act(session: &mut Session, address: &Address, link: &mut Option<Link>, output: Output) {
    match output {
        Output::Connect => {
            let input = match address.connect().await {
                Ok(opened) => {
                    *link = Some(opened);
                    Input::LinkUp
                }
                Err(why) => Input::LinkDown(why),
            };
            session.handle(now(), input);
        }
        Output::Send(frame) => link.iter_mut().for_each(|link| link.send(frame.clone())),
        Output::Ping => link.iter_mut().for_each(Link::ping),
        Output::Close(code) => {
            if let Some(mut link) = link.take() {
                link.close(code).await;
                link.linger().await;
            }
        }
        Output::Reflected { connection, messages } => {
            for message in &messages {
                match &message.content {
                    Ok(summary) => println!("message {}: {summary:?}", message.id.0),
                    Err(why) => println!("message {}: {why}", message.id.0),
                }
            }
            session.handle(now(), Input::Durable { connection, count: to_acknowledge(&messages) });
        }
        Output::Event(event) => println!("{event:?}"),
        Output::Acknowledged(_) | Output::Proxy(_) => {}
    }
}

/// What the link brings next; nothing as long as there is none, or after its end.
async fn next(link: &mut Option<Link>) -> Option<LinkEvent> {
    let Some(open) = link else { return std::future::pending().await };
    let event = open.next(true).await;
    if matches!(event, Some(LinkEvent::End(_))) {
        *link = None;
    }
    event
}

fn now() -> Millis {
    SystemTime::now().into()
}
