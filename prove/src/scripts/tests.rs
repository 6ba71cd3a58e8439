use proofhouse_golden::embedded;
use proofhouse_subjects::command::CommandLine;

use super::*;

/// Lines that a driver answers whatever it is asked.
fn driver(answers: &str) -> CommandLine {
    CommandLine::new("/bin/sh", ["-c", answers])
}

fn hello(capabilities: &str) -> String {
    format!(
        r#"read -r l; echo '{{"n":0,"outcome":"hello","protocol":0,"name":"x","capabilities":[{capabilities}],"promises":{{}}}}';"#
    )
}

#[track_caller]
fn check(answers: &str, due: &[&str]) -> Ran {
    let scripts = embedded().unwrap().scripts;
    let few: Vec<_> = scripts.into_iter().filter(|it| it.rule == "entity").take(2).collect();
    let scratch = tempfile::tempdir().unwrap();
    let ran = run(&few, &driver(answers), Duration::from_secs(10), scratch.path()).unwrap();
    let told: Vec<_> = ran.failures.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), due.len(), "{told:?}");
    for (told, due) in told.iter().zip(due) {
        assert!(told.starts_with(due), "{told}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    ran
}

#[test]
fn the_first_wrong_answer_of_each_script_is_told() {
    let wrong = r#"read -r l; echo '{"n":1,"outcome":"failed","class":"io"}'"#;
    let due =
        ["script entity/absent, step 1, open: due: ", "script entity/put, step 1, open: due: "];
    let ran = check(&(hello("") + wrong), &due);
    assert_eq!(ran.total(), (2, 2));
}

#[test]
fn a_driver_that_ends_is_told_and_the_next_script_begins_anew() {
    let due =
        ["script entity/absent, step 1, open: due: ", "script entity/put, step 1, open: due: "];
    check(&hello(""), &due);
}

#[test]
fn what_a_driver_does_not_offer_is_counted_and_not_passed() {
    let scripts = embedded().unwrap().scripts;
    let few: Vec<_> = scripts.into_iter().filter(|it| it.rule == "compaction").collect();
    let scratch = tempfile::tempdir().unwrap();
    let ran = run(&few, &driver(&hello("")), Duration::from_secs(10), scratch.path()).unwrap();
    assert_eq!(ran.left_out.values().sum::<usize>(), few.len());
    assert!(!ran.passed() && ran.failures.is_empty());
}
