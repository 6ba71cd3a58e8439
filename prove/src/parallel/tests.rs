use super::*;

#[test]
fn results_stand_in_case_order() {
    let squares = map(1_000, Budget::default(), |case| case * case);
    assert!(squares.iter().copied().eq((0..1_000).map(|case| case * case)));
}

#[test]
fn no_case_starts_after_the_budget_is_spent() {
    let spent = Budget { until: Some(Instant::now()) };
    assert_eq!(map(10, spent, |case| case), Vec::<u64>::new());
}
