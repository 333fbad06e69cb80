use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::*;
use crate::group::Standing;
use crate::text::Clean;
use crate::tui::Settings;
use crate::tui::tabs::Tabs;

const STANDINGS: [Standing; 5] =
    [Standing::Live, Standing::NeedsUser, Standing::Reconnecting, Standing::Leading, Standing::Draining];

fn tabs(names: &[&'static str]) -> Tabs {
    Tabs::new(names.iter().map(|name| Settings { title: Clean::literal(name), ..settings() }).collect())
}

fn first_line(tabs: &mut Tabs, width: u16) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, 24));
    tabs.draw(&mut buffer, &normal(), &STANDINGS, NOW);
    symbols(&buffer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn one_group_has_no_line_of_tabs() {
    let mut one = tabs(&["home"]);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    one.draw(&mut buffer, &normal(), &STANDINGS, NOW);
    let mut ui = crate::tui::ui::Ui::new(settings());
    assert_eq!(symbols(&buffer), symbols(&draw(&mut ui, &normal(), (80, 24))));
}

#[test]
fn the_line_says_in_glyph_and_word_how_each_group_stands() {
    let mut three = tabs(&["home", "work", "Family of the Ångströms"]);
    assert_eq!(first_line(&mut three, 80), "▸home ● live │ work ! needs you │ Family of the Ångströms ◌ reconnecting");
    three.show(1);
    assert_eq!(first_line(&mut three, 80), " home ● live │▸work ! needs you │ Family of the Ångströms ◌ reconnecting");
    assert_eq!(first_line(&mut three, 50), " home ● │▸work ! │ Family of the Ångströms ◌");
    assert_eq!(first_line(&mut three, 40), " home ● │▸work ! │ Family … ◌");
}

#[test]
fn a_group_with_an_alarm_that_nobody_noted_is_marked() {
    let mut two = tabs(&["home", "work"]);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    two.draw(&mut buffer, &normal(), &[Standing::Live, Standing::Alarm], NOW);
    let line = symbols(&buffer).lines().next().unwrap_or_default().to_owned();
    assert_eq!(line, "▸home ● live │ work ! devices changed");
}

#[test]
fn the_tab_in_sight_is_in_the_line_however_many_there_are() {
    let mut five = tabs(&["one group", "two groups", "three groups", "four groups", "five groups"]);
    assert_eq!(first_line(&mut five, 40), "▸one gro… ● │ two gro… ! │ three g… ◌ │…");
    for tab in 0..5 {
        five.show(tab);
        let line = first_line(&mut five, 40);
        assert!(line.contains('▸'), "{line}");
    }
    assert_eq!(first_line(&mut five, 40), "! three g… ◌ │ four gr… ! │▸five gr… ◐");
}

#[test]
fn a_tab_beyond_the_line_that_needs_the_user_is_told_of() {
    let mut five = tabs(&["one group", "two groups", "three groups", "four groups", "five groups"]);
    five.show(4);
    assert_eq!(first_line(&mut five, 28), "! four gr… ! │▸five gr… ◐", "the second needs the user");
    five.show(0);
    assert_eq!(first_line(&mut five, 14), "▸one gro… ● │!");
}

#[test]
fn everything_else_stands_below_the_line() {
    let mut two = Tabs::new(vec![Settings { accepts_any_certificate: true, ..settings() }, settings()]);
    for (tab, banner) in [(0, true), (1, false)] {
        two.show(tab);
        for (width, height) in [(80, 24), (40, 12), (20, 6), (3, 1)] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            two.draw(&mut buffer, &normal(), &STANDINGS, NOW);
            let shown = symbols(&buffer);
            let rows: Vec<&str> = shown.lines().collect();
            if height > 6 {
                assert!(rows[0].contains("home"), "{shown}");
                assert_eq!(rows[1].contains("UNSAFE"), banner, "{shown}");
                assert!(rows[1 + usize::from(banner)].contains("d2mtop"), "{shown}");
            }
        }
    }
}
