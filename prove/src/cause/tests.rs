use proofhouse_crash::{Fate, Missing, Site};
use proofhouse_model::{GenerateProfile, generate};

use super::*;

fn class(role: &str) -> Class {
    let site = Site { operation: "write".to_owned(), role: role.to_owned() };
    Class { site, missing: Missing::ContentBeforeAck }
}

fn kill(at: usize) -> Vec<Choice> {
    vec![Choice { at, fate: Fate::Kill { cut: None } }]
}

#[test]
fn states_of_one_class_are_one_cause_with_its_first_state() {
    let mut causes = Causes::default();
    for (role, at) in [("log", 1), ("data", 2), ("data", 3), ("log", 4), ("data", 5)] {
        causes.count(class(role), || kill(at));
    }
    let told: Vec<_> = causes.by_frequency().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "3 states: write data: content pending at acknowledgement",
            "2 states: write log: content pending at acknowledgement",
        ]
    );
}

#[test]
fn the_first_plan_that_shows_a_cause_stands_for_it() {
    let plans = [1, 2].map(|seed| generate(seed, &GenerateProfile::crash()));
    let mut total = Causes::default();
    for (plan, at) in plans.iter().zip([7, 8]) {
        let mut causes = Causes::default();
        causes.count(class("log"), || kill(at));
        total.merge(plan, &causes);
    }
    let [cause] = <[Cause; 1]>::try_from(total.by_frequency()).unwrap();
    assert_eq!((cause.states, cause.choices, cause.plan), (2, kill(7), Some(plans[0].clone())));
}

#[test]
fn a_cause_reads_back_as_written() {
    let plan = generate(1, &GenerateProfile::crash());
    for plan in [None, Some(plan)] {
        let cause = Cause { class: class("log"), states: 3, choices: kill(1), plan };
        let json = serde_json::to_string(&cause).unwrap();
        assert_eq!(serde_json::from_str::<Cause>(&json).unwrap(), cause);
    }
}
