use super::*;

#[track_caller]
fn check(states: &[State], all_tools: bool, due: Exit) {
    let lines = states.iter().map(|state| Line::new("x", *state, "")).collect();
    assert_eq!(Page { lines }.exit(all_tools), due, "{states:?}");
}

#[test]
fn only_what_was_checked_passes() {
    check(&[State::Pass, State::Pass], true, Exit::Clean);
    check(&[State::Pass, State::NothingEarlier], true, Exit::Clean);
    check(&[State::Pass, State::Skipped], false, Exit::Unmeasured);
    check(&[State::MissingTool], false, Exit::Clean);
    check(&[State::MissingTool], true, Exit::Unmeasured);
    check(&[State::Skipped, State::Fail], false, Exit::Divergence);
}

#[test]
fn the_exit_of_a_failed_proof_is_kept() {
    let lost = Line::failed("prove", "lost").asking(Exit::Lost);
    let page = Page { lines: vec![Line::new("x", State::Pass, "1"), lost] };
    assert_eq!(page.exit(false), Exit::Lost);
    assert!(page.render().ends_with("prove: lost\n"), "{}", page.render());
}
