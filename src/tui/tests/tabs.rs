use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::*;
use crate::output::standing::Standing;
use crate::text::Clean;
use crate::tui::Settings;
use crate::tui::screen::tabs::Tabs;

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
    let mut ui = crate::tui::state::Ui::new(settings());
    assert_eq!(symbols(&buffer), symbols(&draw(&mut ui, &normal(), (80, 24))));
}

#[test]
fn the_line_says_in_glyph_and_word_how_each_group_stands() {
    let mut three = tabs(&["home", "work", "Family of the Ångströms"]);
    assert_eq!(first_line(&mut three, 80), "▸home ● live │ work ! needs you │ Family of the Ångströms ◌ reconnecting");
    three.show(1);
    assert_eq!(first_line(&mut three, 80), " home ● live │▸work ! needs you │ Family of the Ångströms ◌ reconnecting");
    assert_eq!(first_line(&mut three, 50), " home ● │▸work ! │ Family of the Ångströms ◌");
    assert_eq!(first_line(&mut three, 40), " home ● │▸work ! │ Family of the Ån… ◌");
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
    assert_eq!(first_line(&mut five, 40), "▸one group ● │ two gro… ! │…");
    for tab in 0..5 {
        five.show(tab);
        let line = first_line(&mut five, 40);
        assert!(line.contains('▸'), "{line}");
    }
    assert_eq!(first_line(&mut five, 40), "! four gr… ! │▸five groups ◐");
}

#[test]
fn a_tab_beyond_the_line_that_needs_the_user_is_told_of() {
    let mut five = tabs(&["one group", "two groups", "three groups", "four groups", "five groups"]);
    five.show(4);
    assert_eq!(first_line(&mut five, 31), "! four gr… ! │▸five groups ◐", "the second needs the user");
    five.show(0);
    assert_eq!(first_line(&mut five, 14), "▸one gr… ● │!");
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

#[test]
fn names_that_begin_alike_are_told_apart_and_the_one_in_sight_is_whole() {
    let mut four = tabs(&["customer-alpha-production", "customer-beta-production", "customer-beta-test", "home"]);
    let line = first_line(&mut four, 80);
    assert_eq!(line, "▸customer-alpha-production ● │ …eta-production ! │ …omer-beta-test ◌ │ home !");
    four.show(1);
    let line = first_line(&mut four, 64);
    assert_eq!(line, " …alpha-… ● │▸customer-beta-production ! │ …ta-test ◌ │ home !");
    let mut numbers = tabs(&["customer-1", "customer-10", "customer-2"]);
    numbers.show(2);
    assert_eq!(first_line(&mut numbers, 42), " …tomer-1 ● │ …omer-10 ! │▸customer-2 ◌");
}

#[test]
fn who_left_so_as_not_to_lead_and_comes_back_needs_nobody() {
    let mut two = tabs(&["home", "work"]);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    two.draw(&mut buffer, &normal(), &[Standing::Live, Standing::GaveUpLeading], NOW);
    let line = symbols(&buffer).lines().next().unwrap_or_default().to_owned();
    assert_eq!(line, "▸home ● live │ work ◌ left (was made leader)");
}
