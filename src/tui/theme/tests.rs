use ratatui::style::Color;

use super::palette::{DEVICE_COLOURS, MONO};
use super::*;

fn roles() -> Vec<Role> {
    let devices = (0..u8::try_from(DEVICE_COLOURS).unwrap()).map(Role::Device);
    let others = [
        Role::Text,
        Role::Muted,
        Role::Accent,
        Role::Border,
        Role::BorderFocused,
        Role::Good,
        Role::Notice,
        Role::Alarm,
        Role::Incoming,
        Role::Outgoing,
        Role::Sync,
        Role::Fast,
        Role::Slow,
        Role::Late,
        Role::Label,
        Role::Value,
        Role::Heading,
    ];
    others.into_iter().chain(devices).collect()
}

fn contrast(one: Color, other: Color) -> f64 {
    let parts = |colour| match colour {
        Color::Rgb(red, green, blue) => [red, green, blue],
        other => panic!("{other:?} has no brightness of its own"),
    };
    super::colour::contrast(parts(one), parts(other))
}

#[test]
fn every_role_can_be_read_on_its_background_and_in_the_selected_row() {
    for palette in Palette::all().filter(|palette| ![&TERMINAL, &MONO].contains(palette)) {
        for role in roles() {
            let is_read = matches!(role, Role::Text | Role::Value | Role::Label | Role::Heading | Role::Alarm);
            let least = if is_read { 4.5 } else { 3.0 };
            for background in [palette.background, palette.selection] {
                let contrast = contrast(palette.colour(role), background);
                assert!(contrast >= least, "{}: {role:?} has {contrast:.2}:1 on {background:?}", palette.name);
            }
        }
    }
}

#[test]
fn what_was_shifted_is_told_with_what_was_published() {
    let named = |name: &str| Palette::named(name).unwrap();
    for (name, role) in [("solarized-dark", "muted"), ("nord", "muted"), ("catppuccin-latte", "notice")] {
        assert!(named(name).published().any(|(shifted, _)| shifted == role), "{name}: {role}");
    }
    assert!(named("nord").published().any(|shifted| shifted == ("muted", "#4c566a")));
    for palette in Palette::all() {
        assert!(palette.published().all(|(_, published)| published.parse() != Ok(palette.background)));
    }
}

#[test]
fn themes_have_names_of_their_own_and_the_background_chooses() {
    assert_eq!(Palette::all().count(), 12);
    for palette in Palette::all() {
        assert_eq!(Palette::named(palette.name), Some(palette));
    }
    assert_eq!(Palette::for_background([0x1e, 0x1e, 0x2e]).name, "dark");
    assert_eq!(Palette::for_background([0, 0, 0]).name, "dark");
    assert_eq!(Palette::for_background([0xfd, 0xf6, 0xe3]).name, "light");
}
