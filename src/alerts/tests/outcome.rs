use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::{Alert, Alerts, Attention, Rule, RuleAction, Trigger};
use crate::text::Clean;

fn alert(words: &'static str) -> Alert {
    Alert { line: json!({ "event": "promoted" }), words: Clean::literal(words) }
}

#[test]
fn what_becomes_of_each_case_is_counted() {
    let run = |program: &str| Rule { trigger: Trigger::Promoted, reaction: RuleAction::Run(vec![program.to_owned()]) };
    let rules: Arc<[Rule]> =
        [run("true"), run("false"), Rule { trigger: Trigger::Lost, reaction: RuleAction::Tell }].into();
    let (alerts, attention) = (Arc::new(super::alert_queue()), Arc::new(Attention::new(Arc::default())));
    let (_, first) = alerts.add_session("home", &rules);
    alerts.leave(first, Duration::ZERO, 2, || alert("leader"));
    alerts.leave(first + 1, Duration::ZERO, 0, || alert("leader"));
    alerts.leave(first + 2, Duration::ZERO, 1, || alert("lost"));
    drop(Alerts::start(Arc::clone(&alerts), rules, Arc::clone(&attention)).unwrap());
    let outcomes = alerts.outcomes();
    let expected = [
        (("promoted", "ran"), 1),
        (("promoted", "failed"), 1),
        (("promoted", "timed_out"), 0),
        (("promoted", "suppressed"), 2),
        (("lost", "told"), 1),
        (("lost", "suppressed"), 1),
    ];
    assert_eq!(outcomes, expected.into_iter().collect());
    assert_eq!(attention.take().iter().map(Clean::as_str).collect::<Vec<_>>(), ["home: lost (and 1 more)"]);
}
