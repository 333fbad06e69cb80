use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Meters;
use crate::group::{
    DeviceChange, DisconnectCause, Event, JournalState, ListedDevice, LockEvent, Login, NextStep, Probe,
    ReflectedMessage,
};
use crate::protocol::d2d::{ContentKind, EnvelopeSummary};
use crate::protocol::{
    CloseCode, DeviceActivity, DeviceId, DeviceInfo, Dialect, GroupKeys, GroupSecret, Millis, OpenError, PseudonymKey,
    ReflectedId, SlotState, TransactionScope,
};
use crate::session::Now;
use crate::text::Clean;

fn meters() -> Arc<Meters> {
    Arc::new(Meters::new(false, BTreeMap::new))
}

fn key() -> PseudonymKey {
    PseudonymKey::of(&GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [1; 32])))
}

fn at(millis: u64) -> Now {
    Now::from(Millis(millis))
}

fn has(page: &str, line: &str) {
    assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
}

#[test]
fn what_lasts_grows_from_scrape_to_scrape() {
    let meters = meters();
    let meter = meters.meter("", key());
    meter.take(at(1_000), &Event::Promoted);
    let scope = Some(TransactionScope::ContactSync);
    meter.take(at(2_000), &Event::Lock(LockEvent::HeldBy { holder: DeviceId(3), scope }));
    let page = meters.page(at(4_500));
    has(&page, "d2mtop_leader 1");
    has(&page, "d2mtop_leader_seconds_total 3.5");
    has(&page, "d2mtop_lock_age_seconds{holder=\"other\",scope=\"contact_sync\"} 2.5");
    has(&page, "d2mtop_lock_held_seconds_total{holder=\"other\",scope=\"contact_sync\"} 2.5");
    let end = Event::Disconnected { cause: DisconnectCause::LeaderRole, next: NextStep::End };
    meter.take(at(5_000), &end);
    let page = meters.page(at(90_000));
    has(&page, "d2mtop_leader 0");
    has(&page, "d2mtop_leader_seconds_total 4.0");
    has(&page, "d2mtop_lock_held_seconds_total{holder=\"other\",scope=\"contact_sync\"} 3.0");
    assert!(!page.contains("d2mtop_lock_age_seconds{"), "nobody holds it");
}

#[test]
fn profiles_are_told_apart_and_each_family_comes_once() {
    let meters = meters();
    let (home, work) = (meters.meter("home", key()), meters.meter("work", key()));
    let failed = Event::Journal(JournalState::Failed(Clean::literal("the disk is full")));
    home.take(at(0), &failed);
    work.take(at(0), &failed);
    work.take(at(0), &failed);
    let page = meters.page(at(0));
    has(&page, "d2mtop_journal_errors_total{profile=\"home\"} 1");
    has(&page, "d2mtop_journal_errors_total{profile=\"work\"} 2");
    assert_eq!(page.matches("# TYPE d2mtop_journal_errors counter\n").count(), 1);
}

#[test]
fn the_next_session_of_a_profile_counts_on_in_the_same_series() {
    let meters = meters();
    let first = meters.meter("home", key());
    first.take(at(0), &Event::Promoted);
    let next = meters.meter("home", key());
    let _ = meters.meter("work", key());
    next.take(at(0), &Event::Promoted);
    let page = meters.page(at(0));
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
    meters.meter("", key()).take(at(0), &Event::Promoted);
    let _ = meters.meter("", key());
    has(&meters.page(at(9_000)), "d2mtop_leader 0");
}

#[test]
fn a_server_with_ever_new_close_codes_makes_no_ever_longer_page() {
    let meters = meters();
    let meter = meters.meter("", key());
    for code in 4_000..5_000 {
        let cause = DisconnectCause::closed(CloseCode(code));
        meter.take(at(0), &Event::Disconnected { cause, next: NextStep::WaitForUser });
    }
    let page = meters.page(at(0));
    assert_eq!(page.matches("d2mtop_disconnects_total{").count(), 65);
    // 13 of the thousand have a name of their own from the start, which leaves room for 36 of the rest.
    has(&page, "d2mtop_disconnects_total{cause=\"closed_by_server\",code=\"other\"} 951");
    has(&page, "d2mtop_disconnects_total{cause=\"closed_by_server\",code=\"4115\"} 1");
}

#[test]
fn an_end_that_heals_itself_waits_for_nobody() {
    let meters = meters();
    let meter = meters.meter("", key());
    let expired = || DisconnectCause::closed(CloseCode::SLOT_STATE_MISMATCH);
    let next = NextStep::RetryAt { at: Millis(1), attempt: 1 };
    meter.take(at(0), &Event::Disconnected { cause: expired(), next });
    has(&meters.page(at(0)), "d2mtop_waits_for_user_total{code=\"4115\"} 0");
    meter.take(at(0), &Event::Disconnected { cause: expired(), next: NextStep::WaitForUser });
    has(&meters.page(at(0)), "d2mtop_waits_for_user_total{code=\"4115\"} 1");
    has(&meters.page(at(0)), "d2mtop_disconnects_total{cause=\"closed_by_server\",code=\"4115\"} 2");
}

#[test]
fn every_end_that_is_known_beforehand_is_there_at_zero() {
    let meters = meters();
    let meter = meters.meter("", key());
    let before = meters.page(at(0));
    let closed = CloseCode::NAMED.map(DisconnectCause::closed);
    let others = [
        DisconnectCause::Unreachable(Clean::default()),
        DisconnectCause::Broken(Clean::default()),
        DisconnectCause::NoAnswer,
        DisconnectCause::HandshakeTimeout,
        DisconnectCause::ServerProtocolError(Clean::default()),
        DisconnectCause::LeaderRole,
        DisconnectCause::VisitOver,
        DisconnectCause::JournalCaughtUp,
        DisconnectCause::ChatClientLeft,
        DisconnectCause::LeftGroup,
        DisconnectCause::ByUser,
    ];
    let ends = closed.into_iter().chain(others);
    let count = ends.map(|cause| meter.take(at(0), &Event::Disconnected { cause, next: NextStep::End })).count();
    let with = |page: &str, value: &str| {
        let is_such = |line: &&str| line.starts_with("d2mtop_disconnects_total{") && line.ends_with(value);
        page.lines().filter(is_such).count()
    };
    assert_eq!((with(&before, "} 0"), with(&meters.page(at(0)), "} 1")), (count, count));
}

fn message(redelivered: bool, repeated_nonce: bool, content: Result<EnvelopeSummary, OpenError>) -> ReflectedMessage {
    ReflectedMessage {
        id: ReflectedId(1),
        stored_at: Millis(1_000),
        received_at: Millis(3_000),
        size: 300,
        redelivered,
        repeated_nonce,
        content,
        ..ReflectedMessage::example()
    }
}

fn login(dialect: Dialect) -> Event {
    Event::LoggedIn(Login {
        dialect,
        slot_state: SlotState::New,
        clock_offset: Some(-1_500),
        reflection_queue_length: Some(42),
        ..Login::example()
    })
}

fn devices(activities: &[(u64, DeviceActivity)]) -> Event {
    let listed = |activity| ListedDevice { info: Ok(DeviceInfo::default()), activity, expiration_policy: None };
    let devices = activities.iter().map(|(id, activity)| (DeviceId(*id), listed(*activity)));
    Event::Devices(devices.collect::<BTreeMap<_, _>>())
}

#[test]
fn the_numbers_are_those_of_the_events() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let meters = meters();
        let meter = meters.meter("", key());
        has(&meters.page(at(0)), "d2mtop_last_login_timestamp_seconds 0.0");
        let closed = DisconnectCause::closed(CloseCode::GOING_AWAY);
        let changed = |change| Event::DeviceChanged { device: DeviceId(3), change };
        let round_trip = |probe, millis| Event::RoundTrip { probe, elapsed: Duration::from_millis(millis) };
        let events = [
            Event::Connecting { attempt: 1 },
            Event::Disconnected { cause: closed, next: NextStep::WaitForUser },
            Event::Connecting { attempt: 2 },
            login(dialect),
            changed(DeviceChange::New { returned: false, now: None }),
            changed(DeviceChange::Gone { before: None }),
            changed(DeviceChange::Gone { before: None }),
            round_trip(Probe::Ping, 2),
            round_trip(Probe::DevicesInfo, 20),
            round_trip(Probe::DevicesInfo, 40),
            Event::ReflectionStored { round_trip: Duration::from_millis(500) },
            Event::Ignored(Clean::literal("what is this")),
            Event::Reflected(vec![
                message(true, false, Ok(EnvelopeSummary::blank(ContentKind::GroupSync))),
                message(false, true, Ok(EnvelopeSummary::blank(ContentKind::GroupSync))),
                message(true, true, Err(OpenError::DoesNotDecrypt)),
            ]),
        ];
        for event in events {
            meter.take(at(5_250), &event);
        }
        let page = meters.page(at(6_000));
        for line in [
            "d2mtop_connection_attempts_total 2",
            "d2mtop_logins_total 1",
            "d2mtop_last_login_timestamp_seconds 5.25",
            "d2mtop_disconnects_total{cause=\"closed_by_server\",code=\"1001\"} 1",
            "d2mtop_login_queue_messages 42",
            "d2mtop_clock_offset_seconds -1.5",
            "d2mtop_device_slots 5",
            "d2mtop_device_changes_total{change=\"new\"} 1",
            "d2mtop_device_changes_total{change=\"changed\"} 0",
            "d2mtop_device_changes_total{change=\"undecryptable\"} 0",
            "d2mtop_device_changes_total{change=\"gone\"} 2",
            "d2mtop_round_trip_seconds_count{probe=\"ping\"} 1",
            "d2mtop_round_trip_seconds_sum{probe=\"ping\"} 0.002",
            "d2mtop_round_trip_seconds_count{probe=\"devices_info\"} 2",
            "d2mtop_round_trip_seconds_sum{probe=\"devices_info\"} 0.06",
            "d2mtop_round_trip_seconds_count{probe=\"reflection\"} 1",
            "d2mtop_round_trip_seconds_sum{probe=\"reflection\"} 0.5",
            "d2mtop_messages_total{device=\"unsaid\",kind=\"group_sync\"} 2",
            "d2mtop_message_bytes_total{device=\"unsaid\",kind=\"undecryptable\"} 300",
            "d2mtop_redeliveries_total 2",
            "d2mtop_replays_total 2",
            "d2mtop_undecryptable_messages_total 1",
            "d2mtop_ignored_messages_total 1",
        ] {
            has(&page, line);
        }
    }
}

#[test]
fn what_is_known_of_devices_ages_while_nobody_looks() {
    let meters = meters();
    let meter = meters.meter("", key());
    let listed =
        || devices(&[(2, DeviceActivity::ConnectedSince(Millis(1))), (3, DeviceActivity::LastDisconnect(Millis(500)))]);
    // The mediator's clock is a second and a half behind.
    meter.take(at(2_000), &login(Dialect::Dgk));
    meter.take(at(2_000), &listed());
    let unseen = |page: &str, device: u64, seconds: &str| {
        let name = format!("{:.8}", key().device(DeviceId(device)));
        has(page, &format!("d2mtop_device_unseen_seconds{{device=\"{name}\"}} {seconds}"));
    };
    let number = |page: &str, state: &str, count: &str| {
        let state = format!("state=\"{state}\"");
        let found = page.lines().filter(|line| line.starts_with("d2mtop_devices{") && line.contains(&state));
        assert_eq!(found.filter_map(|line| line.rsplit(' ').next()).collect::<Vec<_>>(), [count], "{state} in\n{page}");
    };
    let page = meters.page(at(4_000));
    has(&page, "d2mtop_device_list_age_seconds 2.0");
    unseen(&page, 2, "0.0");
    unseen(&page, 3, "2.0");
    number(&page, "connected", "1");

    let lost = Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::WaitForUser };
    // A login alone does not tell who is there.
    for event in [lost, Event::Connecting { attempt: 1 }, login(Dialect::Dgk)] {
        meter.take(at(5_000), &event);
        let page = meters.page(at(9_000));
        has(&page, "d2mtop_device_list_age_seconds 7.0");
        unseen(&page, 2, "7.0");
        unseen(&page, 3, "7.0");
        number(&page, "unknown", "1");
        number(&page, "disconnected", "1");
        assert!(!page.contains("state=\"connected\""), "{page}");
    }
    meter.take(at(9_000), &listed());
    unseen(&meters.page(at(9_500)), 2, "0.0");
}

#[test]
fn the_journal_is_in_one_state_and_a_failure_lasts_until_it_works_again() {
    let meters = meters();
    let meter = meters.meter("", key());
    let is = |state: &str| {
        let page = meters.page(at(0));
        for other in ["keeps", "off", "failed"] {
            has(&page, &format!("d2mtop_journal_state{{state=\"{other}\"}} {}", u8::from(other == state)));
        }
    };
    is("off");
    for (state, name) in [
        (JournalState::Keeps, "keeps"),
        (JournalState::Failed(Clean::literal("the disk is full")), "failed"),
        (JournalState::Keeps, "keeps"),
    ] {
        meter.take(at(0), &Event::Journal(state));
        is(name);
    }
}

#[test]
fn what_lasts_does_not_shrink_when_the_clock_is_set_back() {
    let meters = meters();
    let meter = meters.meter("", key());
    let now = |wall, precise| Now { wall: Millis(wall), precise: Duration::from_millis(precise) };
    let held = Event::Lock(LockEvent::HeldBy { holder: DeviceId(3), scope: None });
    let day = 86_400_000;
    meter.take(now(day, 1_000), &Event::Promoted);
    meter.take(now(day, 1_000), &held);
    // A day back, two seconds later.
    let page = meters.page(now(0, 3_000));
    let lock = "d2mtop_lock_held_seconds_total{holder=\"other\",scope=\"undecryptable\"}";
    has(&page, "d2mtop_leader_seconds_total 2.0");
    has(&page, &format!("{lock} 2.0"));
    let end = Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::End };
    meter.take(now(0, 4_000), &end);
    let page = meters.page(now(day, 9_000));
    has(&page, "d2mtop_leader_seconds_total 3.0");
    has(&page, &format!("{lock} 3.0"));
}
