use std::sync::Arc;

use super::Meters;
use crate::group::{DisconnectCause, Event, JournalState, LockEvent, NextStep};
use crate::protocol::{CloseCode, DeviceId, Millis, TransactionScope};
use crate::text::Clean;

fn meters() -> Arc<Meters> {
    Arc::new(Meters::new(false, Arc::default()))
}

fn has(page: &str, line: &str) {
    assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
}

#[test]
fn what_lasts_grows_from_scrape_to_scrape() {
    let meters = meters();
    let meter = meters.meter("");
    meter.take(Millis(1_000), &Event::Promoted);
    let scope = Some(TransactionScope::ContactSync);
    meter.take(Millis(2_000), &Event::Lock(LockEvent::HeldBy { holder: DeviceId(3), scope }));
    let page = meters.page(Millis(4_500));
    has(&page, "d2mtop_leader 1");
    has(&page, "d2mtop_leader_seconds_total 3.5");
    has(&page, "d2mtop_lock_age_seconds{holder=\"other\",scope=\"contact_sync\"} 2.5");
    has(&page, "d2mtop_lock_held_seconds_total{holder=\"other\",scope=\"contact_sync\"} 2.5");
    let end = Event::Disconnected { cause: DisconnectCause::LeaderRole, next: NextStep::End };
    meter.take(Millis(5_000), &end);
    let page = meters.page(Millis(90_000));
    has(&page, "d2mtop_leader 0");
    has(&page, "d2mtop_leader_seconds_total 4.0");
    has(&page, "d2mtop_lock_held_seconds_total{holder=\"other\",scope=\"contact_sync\"} 3.0");
    assert!(!page.contains("d2mtop_lock_age_seconds{"), "nobody holds it");
}

#[test]
fn profiles_are_told_apart_and_each_family_comes_once() {
    let meters = meters();
    let (home, work) = (meters.meter("home"), meters.meter("work"));
    let failed = Event::Journal(JournalState::Failed(Clean::literal("the disk is full")));
    home.take(Millis(0), &failed);
    work.take(Millis(0), &failed);
    work.take(Millis(0), &failed);
    let page = meters.page(Millis(0));
    has(&page, "d2mtop_journal_errors_total{profile=\"home\"} 1");
    has(&page, "d2mtop_journal_errors_total{profile=\"work\"} 2");
    assert_eq!(page.matches("# TYPE d2mtop_journal_errors counter\n").count(), 1);
}

#[test]
fn the_next_session_of_a_profile_counts_on_in_the_same_series() {
    let meters = meters();
    let first = meters.meter("home");
    first.take(Millis(0), &Event::Promoted);
    let next = meters.meter("home");
    let _ = meters.meter("work");
    next.take(Millis(0), &Event::Promoted);
    let page = meters.page(Millis(0));
    has(&page, "d2mtop_promotions_total{profile=\"home\"} 2");
    let series: Vec<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|it| it.0)
        .collect();
    let once: std::collections::BTreeSet<&&str> = series.iter().collect();
    assert_eq!(once.len(), series.len(), "{page}");
}

#[test]
fn what_was_of_the_last_session_only_does_not_outlive_it() {
    let meters = meters();
    meters.meter("").take(Millis(0), &Event::Promoted);
    let _ = meters.meter("");
    has(&meters.page(Millis(9_000)), "d2mtop_leader 0");
}

#[test]
fn a_server_with_ever_new_close_codes_makes_no_ever_longer_page() {
    let meters = meters();
    let meter = meters.meter("");
    for code in 4_000..5_000 {
        let cause = DisconnectCause::ClosedByServer { code: CloseCode(code), reason: Clean::default() };
        meter.take(Millis(0), &Event::Disconnected { cause, next: NextStep::WaitForUser });
    }
    let page = meters.page(Millis(0));
    assert_eq!(page.matches("d2mtop_disconnects_total{").count(), 33);
    has(&page, "d2mtop_disconnects_total{cause=\"closed_by_server\",code=\"other\"} 968");
}
