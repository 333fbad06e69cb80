//! Joins that are killed at random points: after the next start there is a whole profile or none, and no slot without one.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::phone::{Does, Phone, data};
use super::script::killable;
use super::{assert_no_profile, labels, mediator};
use crate::support::program::run;

/// How many, unless `JOIN_KILLS` says so.
const KILLS: u64 = 30;

#[test]
fn a_killed_join_is_whole_or_gone_after_the_next_start() {
    let kills = std::env::var("JOIN_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(KILLS);
    // How long the part takes in which a kill matters: from the yes on the phone to the end.
    let span = one(None);
    let mut random = StdRng::seed_from_u64(15);
    let mut whole = 0;
    for number in 0..kills {
        let after = span.mul_f64(random.gen_range(0.0..1.1));
        whole += u64::from(one(Some(after)) > Duration::ZERO);
        eprintln!("kill {number} after {after:?}: {whole} whole");
    }
    assert!(whole < kills, "none was killed before its end");
}

/// One join in a group and a home of its own, killed so long after the yes; how long it took if it is whole.
fn one(kill_after: Option<Duration>) -> Duration {
    let mediator = mediator();
    let home = tempfile::tempdir().unwrap();
    let mut joining = killable(home.path(), &mediator);
    let mut lines = BufReader::new(joining.stdout.take().unwrap()).lines();
    let mut wait_for = |event: &str| {
        let found = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains(event)));
        assert!(found.is_some(), "no {event}");
    };
    wait_for("join_offer");
    let link = fs::read_to_string(home.path().join("offer")).unwrap();
    let phone = Phone::scans(&mediator, &link, data(2_000));
    phone.emoji();
    wait_for("join_emoji");
    let began = Instant::now();
    phone.does(Does::Matches(true));
    match kill_after {
        // The point of time is what is tested.
        Some(after) => std::thread::sleep(after),
        None => drop(joining.wait()),
    }
    let _ = joining.kill();
    let _ = joining.wait();
    let took = began.elapsed();
    phone.end();
    let is_whole = is_whole_after_the_next_start(home.path());
    let joined = labels(&mediator).iter().filter(|label| *label == "joined").count();
    assert_eq!(joined, usize::from(is_whole), "a slot for each profile, and none without");
    if is_whole {
        let removed = run(home.path(), &["profile", "remove", "home", "--leave-group", "--yes"]);
        assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
        return took;
    }
    assert_no_profile(home.path());
    assert!(kill_after.is_some(), "nobody killed it");
    Duration::ZERO
}

/// Starts d2mtop, and says whether there is a profile that works.
fn is_whole_after_the_next_start(home: &Path) -> bool {
    let started = run(home, &["watch", "home", "--until-dry", "--stay-leader"]);
    let listed = String::from_utf8(run(home, &["profile", "list"]).stdout).unwrap();
    let is_there = listed.contains(" home ");
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert_eq!(started.status.code(), Some(if is_there { 0 } else { 2 }), "{listed}{said}");
    is_there
}
