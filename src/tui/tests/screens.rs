use crossterm::event::KeyCode;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::fixture::*;
use crate::group::*;
use crate::protocol::d2d::{Detail, Platform};
use crate::protocol::*;
use crate::text::Clean;
use crate::tui::state::Ui;
use crate::tui::theme::{Role, Theme};
use crate::tui::{Colour, Keeping, Palette, Settings};

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (160, 50)];

/// Compares the screen at all sizes with what was reviewed.
pub(super) fn compare(name: &str, sizes: &[(u16, u16)], group: &Group, settings: &Settings, prepare: impl Fn(&mut Ui)) {
    for (width, height) in sizes {
        let mut ui = Ui::new(settings.clone());
        // The first frame tells the panes their heights, as in life.
        draw(&mut ui, group, (*width, *height));
        prepare(&mut ui);
        let shown = symbols(&draw(&mut ui, group, (*width, *height)));
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), shown);
        });
    }
}

pub(super) fn after(events: Vec<Event>) -> Group {
    let mut group = normal();
    for event in events {
        group.apply(NOW, &event);
    }
    group
}

#[test]
fn normal_screens() {
    compare("normal", &SIZES, &normal(), &settings(), |_| ());
    compare("normal", &[(60, 24), (100, 16), (200, 60)], &normal(), &settings(), |_| ());
}

#[test]
fn the_banner_of_an_unchecked_certificate_is_never_covered() {
    let unsafe_settings = Settings { accepts_any_certificate: true, ..settings() };
    compare("any-certificate", &[(40, 12), (80, 24), (30, 8)], &normal(), &unsafe_settings, |_| ());
    compare("any-certificate-dialog", &[(40, 11)], &normal(), &unsafe_settings, |ui| {
        typed(ui, &normal(), "1D");
    });
}

#[test]
fn the_header_says_what_is_not_kept() {
    let declined = Settings { keeping: Keeping::Declined, ..settings() };
    compare("no-journal", &SIZES, &normal(), &declined, |_| ());
    let why = "no room for the journal /home/a/.local/state/d2mtop/profiles/home/journal.sqlite: the disk is full";
    let failed = Event::Journal(JournalState::Failed(Clean::literal(why)));
    compare("journal-failed", &SIZES, &after(vec![failed.clone()]), &settings(), |_| ());
    let lost = Event::Disconnected {
        cause: DisconnectCause::NoAnswer,
        next: NextStep::RetryAt { at: Millis(NOW.0 + 4_000), attempt: 3 },
    };
    compare("journal-failed-lost", &[(40, 12), (80, 24)], &after(vec![failed.clone(), lost]), &settings(), |_| ());
    let works_again = after(vec![failed, Event::Journal(JournalState::Keeps)]);
    compare("journal-works-again", &[(80, 24)], &works_again, &settings(), |_| ());
}

#[test]
fn empty_screens() {
    compare("empty", &SIZES, &Group::default(), &settings(), |_| ());
}

#[test]
fn draining_screens() {
    let mut group = Group::default();
    group.apply(START, &login());
    group.apply(NOW, &Event::Reflected((0..312).map(|id| text(id, 1_000)).collect()));
    compare("draining", &SIZES, &group, &settings(), |_| ());
}

#[test]
fn lost_screens() {
    let lost = Event::Disconnected {
        cause: DisconnectCause::NoAnswer,
        next: NextStep::RetryAt { at: Millis(NOW.0 + 4_000), attempt: 3 },
    };
    compare("lost", &SIZES, &after(vec![lost]), &settings(), |_| ());
}

#[test]
fn dropped_screens() {
    let dropped = Event::Disconnected {
        cause: DisconnectCause::closed(CloseCode::DROPPED_BY_DEVICE),
        next: NextStep::WaitForUser,
    };
    let group = after(vec![dropped]);
    compare("dropped", &SIZES, &group, &settings(), |_| ());
    compare("connect-as-new", &[(80, 24)], &group, &settings(), |ui| typed(ui, &group, "c"));
}

#[test]
fn leader_screens() {
    let promoted = after(vec![Event::Promoted]);
    compare("leader", &SIZES, &promoted, &settings(), |_| ());
    let given_up = after(vec![
        Event::Promoted,
        Event::RoleGivenUp { back_at: Millis(NOW.0 + 60_000), promotions_in_a_row: 2 },
        Event::Disconnected {
            cause: DisconnectCause::LeaderRole,
            next: NextStep::RetryAt { at: Millis(NOW.0 + 60_000), attempt: 1 },
        },
    ]);
    compare("role-given-up", &SIZES, &given_up, &settings(), |_| ());
}

#[test]
fn hostile_screens() {
    let evil = "\u{1b}]52;c;aGk=\u{7}\u{202e}gnp.exe\u{200b}\r\n\t\u{9b}31m";
    let mut listed = devices();
    let on = DeviceActivity::ConnectedSince(minutes_before(2));
    listed.insert(DeviceId(3), device(evil, Platform::Web, evil, evil, on));
    listed.insert(
        DeviceId(4),
        device("日本語の端末と👨\u{200d}👩\u{200d}👧の❤\u{fe0f}", Platform::Ios, "7.2.2", "電話", on),
    );
    listed.insert(DeviceId(5), device(&"x".repeat(10_000), Platform::Android, &"9".repeat(10_000), "", on));
    listed.insert(
        DeviceId(6),
        ListedDevice {
            info: Err(OpenError::DoesNotDecrypt),
            activity: DeviceActivity::Unknown,
            expiration_policy: None,
        },
    );
    let mut evil_text = text(111, 7_000);
    if let Ok(summary) = &mut evil_text.content {
        summary.author = Some(DeviceId(4));
        summary.conversation = Some(d2d::Conversation::Contact(Clean::new(evil)));
        summary.detail = Some(Detail::Words(Clean::new(evil)));
    }
    let group =
        after(vec![Event::Devices(listed), Event::Reflected(vec![evil_text]), Event::Ignored(Clean::new(evil))]);
    compare("hostile", &SIZES, &group, &settings(), |_| ());
}

#[test]
fn seed_dialect_screens() {
    let mut listed = devices();
    for (minutes, device) in (1..).zip(listed.values_mut()) {
        device.activity = DeviceActivity::LastLogin(minutes_before(minutes * 50));
    }
    let mut group = Group::with_feed_rows(6);
    let Event::LoggedIn(dgk) = login() else { unreachable!() };
    let mk = Login { dialect: Dialect::Mk, clock_offset: None, reflection_queue_length: None, ..dgk };
    group.apply(minutes_before(1), &Event::LoggedIn(mk));
    group.apply(START, &Event::QueueDry);
    group.apply(START, &Event::Devices(listed));
    group.apply(NOW, &Event::Reflected(messages()));
    let settings = Settings { dialect: Dialect::Mk, ..settings() };
    compare("seed-dialect", &SIZES, &group, &settings, |_| ());
}

#[test]
fn dialogs() {
    let group = normal();
    compare("drop", &SIZES, &group, &settings(), |ui| typed(ui, &group, "1D"));
    compare("drop-own", &[(40, 12), (80, 24)], &group, &settings(), |ui| typed(ui, &group, "1GD"));
    compare("take-lock", &SIZES, &group, &settings(), |ui| typed(ui, &group, "Ljj"));
    compare("probe", &SIZES, &group, &settings(), |ui| typed(ui, &group, "P"));
    let read_only = Settings { read_only: true, ..settings() };
    compare("read-only", &SIZES, &group, &read_only, |ui| typed(ui, &group, "D"));
}

#[test]
fn lock_screens() {
    let scope = Some(TransactionScope::GroupSync);
    let ours = after(vec![Event::Lock(LockEvent::Acquired { scope, expires_at: Some(Millis(NOW.0 + 42_000)) })]);
    compare("lock-ours", &[(80, 24), (160, 50)], &ours, &settings(), |ui| typed(ui, &ours, "2"));
    compare("lock-ours", &[(40, 12), (39, 9)], &ours, &settings(), |_| ());
    compare("lock-look", &[(40, 12), (80, 24)], &normal(), &settings(), |ui| {
        typed(ui, &normal(), "L");
        (0..20).for_each(|_| drop(press(ui, &normal(), KeyCode::Down)));
    });
    compare("release-lock", &[(80, 24)], &ours, &settings(), |ui| typed(ui, &ours, "L"));
    let waiting = after(vec![
        Event::Lock(LockEvent::Requested(Some(TransactionScope::DropDevice))),
        Event::Lock(LockEvent::HeldBy { holder: LAPTOP, scope }),
    ]);
    compare("lock-awaited", &SIZES, &waiting, &settings(), |ui| typed(ui, &waiting, "2"));
}

#[test]
fn pages() {
    let group = normal();
    compare("help", &SIZES, &group, &settings(), |ui| typed(ui, &group, "?"));
    compare("device", &SIZES, &group, &settings(), |ui| {
        // What had happened before is read.
        typed(ui, &group, "1j");
        press(ui, &group, KeyCode::Enter);
    });
    compare("row", &SIZES, &group, &settings(), |ui| {
        typed(ui, &group, "4kkk");
        press(ui, &group, KeyCode::Enter);
    });
}

/// The signs for roles in a snapshot, told by the look that each has in `dark`; of those that look alike (text and value,
/// muted and fast, alarm and late), the first.
fn roles_of(buffer: &Buffer) -> String {
    let theme = Theme::new(Palette::named("dark").unwrap(), Colour::True);
    let signs = [
        ('t', Role::Text),
        ('m', Role::Muted),
        ('a', Role::Accent),
        ('b', Role::Border),
        ('B', Role::BorderFocused),
        ('g', Role::Good),
        ('n', Role::Notice),
        ('!', Role::Alarm),
        ('X', Role::AlarmBanner),
        ('i', Role::Incoming),
        ('o', Role::Outgoing),
        ('s', Role::Sync),
        ('1', Role::Device(0)),
        ('2', Role::Device(1)),
        ('3', Role::Device(2)),
        ('4', Role::Device(3)),
        ('5', Role::Device(4)),
        ('6', Role::Device(5)),
        ('7', Role::Device(6)),
        ('8', Role::Device(7)),
        ('f', Role::Fast),
        ('w', Role::Slow),
        ('l', Role::Label),
        ('h', Role::Heading),
        ('F', Role::Found),
        ('S', Role::Selection),
    ];
    let sign = |cell: &Cell| {
        let of = |role| {
            let style = theme.style(role);
            (style.fg.unwrap_or(Color::Reset), style.add_modifier)
        };
        let in_bar = cell.bg != Color::Reset;
        let own = if in_bar { cell.modifier.difference(Modifier::BOLD) } else { cell.modifier };
        let like = |role| of(role) == (cell.fg, own) || (in_bar && of(role) == (cell.fg, cell.modifier));
        signs.iter().find(|(_, role)| like(*role)).map_or('?', |(sign, _)| *sign)
    };
    let line = |y| {
        let cells = (buffer.area.left()..buffer.area.right()).filter_map(|x| buffer.cell((x, y)));
        let roles: String = cells.map(|cell| if cell.symbol() == " " { ' ' } else { sign(cell) }).collect();
        let bar = buffer.cell((buffer.area.left(), y)).is_some_and(|cell| cell.bg != Color::Reset);
        format!("{}{}", if bar { '>' } else { ' ' }, roles.trim_end())
    };
    (buffer.area.top()..buffer.area.bottom()).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_pane_has_its_roles() {
    let group = normal();
    let dark = Settings { palette: Palette::named("dark").unwrap(), colour: Colour::True, ..settings() };
    for (name, keys) in [
        ("devices", "1+"),
        ("lock", "2+"),
        ("role", "3+"),
        ("feed", "4+kkk"),
        ("latency", "5+"),
        ("detail", "4kkk\n"),
        ("drop", "D\t"),
        ("help", "?"),
        ("all", ""),
    ] {
        let mut ui = Ui::new(dark.clone());
        draw(&mut ui, &group, (80, 24));
        last_reaction(&mut ui, &group, keys);
        let shown = draw(&mut ui, &group, (80, 24));
        let cells_and_roles = format!("{}\n\n{}", symbols(&shown), roles_of(&shown));
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
            insta::assert_snapshot!(format!("roles-{name}-80x24"), cells_and_roles);
        });
    }
}

#[test]
fn feed_screens() {
    let group = normal();
    compare("feed-paused", &SIZES, &group, &settings(), |ui| typed(ui, &group, "4kkkkkkkkkkkkkkkkkkkk"));
    compare("feed-zoomed", &[(80, 24), (160, 50)], &group, &settings(), |ui| typed(ui, &group, "4+"));
    let mut ui = Ui::new(settings());
    draw(&mut ui, &group, (80, 24));
    typed(&mut ui, &group, "4kk");
    let grown = after(vec![Event::Reflected((0..37).map(|id| text(200 + id, 7_500)).collect())]);
    let shown = symbols(&draw(&mut ui, &grown, (80, 24)));
    assert!(shown.contains("+37 new"), "{shown}");
}

#[test]
fn every_pane_alone() {
    let group = normal();
    for (number, name) in (1..).zip(["devices", "lock", "role", "feed", "latency"]) {
        compare(&format!("alone-{name}"), &[(40, 12), (80, 24)], &group, &settings(), |ui| {
            typed(ui, &group, &format!("{number}+"));
        });
    }
    compare("focus-on-lock", &[(40, 12)], &group, &settings(), |ui| typed(ui, &group, "2"));
}

#[test]
fn ascii_screens() {
    let ascii = Settings { glyphs: crate::tui::Glyphs::Ascii, colour: crate::tui::Colour::None, ..settings() };
    compare("ascii", &SIZES, &normal(), &ascii, |_| ());
    let shown = symbols(&draw(&mut Ui::new(ascii), &normal(), (160, 50)));
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn too_small_screens() {
    compare("too-small", &[(32, 8), (20, 5)], &normal(), &settings(), |_| ());
}
