use clap::CommandFactory;

use super::*;

fn check(args: &[&str], due: &str) {
    let args = ["proofhouse"].iter().chain(args);
    let error = Cli::try_parse_from(args).unwrap_err();
    assert_eq!(one_line(&error.to_string()), due);
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn wrong_calls_are_told_in_one_line() {
    check(&["--nonsense"], "unexpected argument '--nonsense' found");
    check(
        &["prove", "--profile", "huge"],
        "invalid value 'huge' for '--profile <PROFILE>' [possible values: quick, standard, deep]",
    );
    check(
        &["--criteria", "AC-02,AC-20"],
        "invalid value 'AC-20' for '--criteria <AC-nn>': there are AC-01 to AC-19",
    );
    check(
        &["--require-all", "--criteria", "AC-01"],
        "the argument '--require-all' cannot be used with '--criteria <AC-nn>'",
    );
    check(
        &["mutate-io", "--seed", "x"],
        "invalid value 'x' for '--seed <SEED>': invalid digit found in string",
    );
    check(&["replay"], "the following required arguments were not provided: <FILE>");
}

#[test]
fn a_bare_call_proves_the_reference_engine_quickly() {
    let Cli { command, prove } = Cli::try_parse_from(["proofhouse"]).unwrap();
    assert!(prove.driving.is_default());
    assert_eq!(prove.driving.watchdog, proofhouse_subjects::command::WATCHDOG);
    assert!(command.is_none());
    assert_eq!(
        (prove.profile, prove.subject.as_str(), prove.seed),
        (Profile::Quick, "reference", 1)
    );
}

#[test]
fn durations_have_a_unit() {
    for (text, millis) in [("500ms", 500), ("90s", 90_000), ("10m", 600_000), ("2h", 7_200_000)] {
        assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
    }
    for wrong in ["", "10", "s", "0s", "-1s", "1.5m", "1d", "99999999999999999999s"] {
        assert!(duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn explanations_read_like_this() {
    let criterion = criteria::find("AC-09").unwrap();
    insta::assert_snapshot!(explain::text(criterion));
}
