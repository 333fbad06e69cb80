use super::*;
use proptest::prelude::*;

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

fn typed(text: &str) -> Vec<Event> {
    text.chars().map(|character| key(KeyCode::Char(character), KeyModifiers::NONE)).collect()
}

/// The answer as the event stream gives it; each half split after its ESC or not.
fn answer([start_split, end_split]: [bool; 2], with_bell: bool) -> Vec<Event> {
    let escaped = |character, split| {
        if split {
            vec![key(KeyCode::Esc, KeyModifiers::NONE), key(KeyCode::Char(character), KeyModifiers::NONE)]
        } else {
            vec![key(KeyCode::Char(character), KeyModifiers::ALT)]
        }
    };
    let end = if with_bell { vec![key(KeyCode::Char('g'), KeyModifiers::CONTROL)] } else { escaped('\\', end_split) };
    [escaped(']', start_split), typed("11;rgb:fdfd/f6f6/e3e3"), end].concat()
}

/// What comes out, if each event comes so long after the one before.
fn filtered(asked_before: Duration, events: Vec<(Duration, Event)>) -> Vec<Input> {
    let start = Instant::now();
    let question = BackgroundQuestion::default();
    question.asked(start);
    let mut filter = AnswerFilter::new(question);
    let mut ready = VecDeque::new();
    let mut now = start + asked_before;
    for (after, event) in events {
        now += after;
        if let Some(due) = filter.due.filter(|due| *due <= now) {
            filter.give_up(due, &mut ready);
        }
        filter.take(event, now, &mut ready);
    }
    filter.give_up(now + REST, &mut ready);
    ready.into()
}

fn at_once(events: Vec<Event>) -> Vec<(Duration, Event)> {
    events.into_iter().map(|event| (Duration::ZERO, event)).collect()
}

#[test]
fn an_answer_in_time_decides_and_a_later_one_is_swallowed() {
    let decided = vec![Input::Background([0xfd, 0xf6, 0xe3])];
    for (after, expected) in [(0, &decided), (150, &decided), (300, &Vec::new()), (2_000, &Vec::new())] {
        for split in [[false, false], [true, false], [false, true], [true, true]] {
            for with_bell in [false, true] {
                let events = at_once(answer(split, with_bell));
                assert_eq!(&filtered(Duration::from_millis(after), events), expected, "{after} ms, {split:?}");
            }
        }
    }
}

#[test]
fn an_escape_waits_only_while_an_answer_may_come() {
    let now = Instant::now();
    let question = BackgroundQuestion::default();
    let mut filter = AnswerFilter::new(question.clone());
    let mut escape_waits = || {
        let mut ready = VecDeque::new();
        filter.take(key(KeyCode::Esc, KeyModifiers::NONE), now, &mut ready);
        let waits = ready.is_empty();
        filter.give_up(now, &mut ready);
        assert_eq!(ready.len(), 1, "it is a key all the same");
        for event in answer([false, false], false) {
            filter.take(event, now, &mut ready);
        }
        waits
    };
    assert!(!escape_waits(), "nothing was asked");
    question.asked(now);
    assert!(escape_waits(), "asked, not answered");
    assert!(!escape_waits(), "answered");
    question.asked(now);
    assert!(escape_waits(), "asked again");
}

#[test]
fn keys_that_look_like_the_beginning_of_an_answer_stay_keys() {
    let terminal = |events: Vec<Event>| events.into_iter().map(Input::Terminal).collect::<Vec<_>>();
    let (escape, alt) = (key(KeyCode::Esc, KeyModifiers::NONE), key(KeyCode::Char(']'), KeyModifiers::ALT));
    for events in [
        vec![escape.clone()],
        vec![escape.clone(), escape.clone()],
        [vec![escape.clone()], typed("q")].concat(),
        [vec![escape.clone()], typed("]q")].concat(),
        [vec![alt.clone()], typed("q")].concat(),
        vec![alt.clone(), escape],
        vec![alt],
        vec![key(KeyCode::Char('g'), KeyModifiers::CONTROL), key(KeyCode::Char('\\'), KeyModifiers::ALT)],
        vec![Event::FocusGained, Event::Resize(80, 24)],
    ] {
        assert_eq!(filtered(Duration::ZERO, at_once(events.clone())), terminal(events));
    }
}

#[test]
fn colours_of_any_length_are_read() {
    assert_eq!(colour("]11;rgb:f/0/8"), Some([255, 0, 136]));
    assert_eq!(colour("]11;rgb:ff/00/80"), Some([255, 0, 128]));
    assert_eq!(colour("]11;rgba:ffff/0000/8080/ffff"), Some([255, 0, 128]));
    assert_eq!(colour("]11;rgb:ffff/0000"), None);
    assert_eq!(colour("]11;rgb:/0/0"), None);
}

proptest! {
    #[test]
    fn no_answer_acts_as_a_key_and_no_key_is_lost(
        before in "[a-z?/]{0,4}", between in "[h-qs-z?]{0,4}", after in "[a-z?/]{0,4}", at in 4_usize..20,
        start_split: bool, end_split: bool, with_bell: bool, late in 0_u64..5_000,
    ) {
        let mut answer = answer([start_split, end_split], with_bell);
        let rest = answer.split_off(at + usize::from(start_split));
        let events = [typed(&before), answer, typed(&between), rest, typed(&after)].concat();
        let out = filtered(Duration::from_millis(late), at_once(events));
        let keys: Vec<Event> = out
            .iter()
            .filter_map(|input| if let Input::Terminal(event) = input { Some(event.clone()) } else { None })
            .collect();
        prop_assert_eq!(keys, typed(&format!("{before}{between}{after}")));
        prop_assert_eq!(out.len() - before.len() - between.len() - after.len(), usize::from(late <= 200));
    }
}
