//! Engines as processes: recorded, crashed, killed. The drivers are this program's own.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use proofhouse::driving::Driving;
use proofhouse::finding::{Finding, Kind};
use proofhouse::measure::{Context, measure};
use proofhouse::parallel::Budget;
use proofhouse::profile::{Profile, Promise, Scale};
use proofhouse::replay::{Replayed, replay};
use proofhouse::subject::Commanded;
use proofhouse::verdict::{CriterionResult, Verdict};

const PROGRAM: &str = env!("CARGO_BIN_EXE_proofhouse");

/// A little of everything.
fn scale() -> Scale {
    Scale {
        command_plans: 3,
        recorded_plans: 1,
        recorded_recoveries: 3,
        kill_plans: 1,
        random_kills: 4,
        ..Scale::self_check()
    }
}

/// What is found in a driver of this name.
fn prove(name: &str) -> (Vec<CriterionResult>, Vec<Finding>) {
    prove_command(&format!("{PROGRAM} driver {name}"), scale())
}

/// What recordings of a driver show that is a script, and slow: real kills are left out.
fn prove_recordings(script: &Path) -> (Vec<CriterionResult>, Vec<Finding>) {
    let scale = Scale { kill_plans: 0, random_kills: 0, ..scale() };
    prove_command(&format!("/bin/sh {}", script.display()), scale)
}

/// What is found in a driver, in a directory that must be empty again afterwards.
fn prove_command(command: &str, scale: Scale) -> (Vec<CriterionResult>, Vec<Finding>) {
    let dir = tempfile::tempdir().unwrap();
    let subject = Commanded::start(command, &Driving::default(), dir.path()).unwrap();
    let context = Context {
        subject: &subject,
        name: command,
        profile: Profile::Quick,
        scale,
        seed: 1,
        budget: Budget::default(),
        promise: Promise::Own,
        dir: dir.path(),
        program: Some(Path::new(PROGRAM)),
        share: None,
    };
    let wanted = BTreeSet::from(["AC-02", "AC-03", "AC-04", "AC-09"]);
    let proved = measure(&context, &wanted, &|_| {});
    drop(subject);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{command} left files behind");
    proved
}

/// How many recordings there were, and how many differ from the other one of their plan.
fn recordings(criteria: &[CriterionResult]) -> (u64, u64) {
    let claims = criteria.iter().flat_map(|result| &result.claims);
    let mut atomic = claims.filter(|claim| claim.claim.id == "AC-03.recorded-atomic");
    let evidence = atomic.find_map(|claim| claim.evidence.as_ref());
    let observed = &evidence.unwrap().observed;
    (observed["recordings"], observed["unstable recordings, each explored"])
}

/// A flawed driver fails these claims, and no others.
fn check(name: &str, due: &[&str]) {
    let (_, findings) = prove(name);
    let failed: BTreeSet<&str> = findings.iter().map(|finding| finding.claim).collect();
    let stories: Vec<_> = findings.iter().map(|one| (one.claim, &one.story)).collect();
    assert_eq!(failed, due.iter().copied().collect(), "{name}: {stories:#?}");
}

#[test]
fn a_sound_engine_behind_the_protocol_passes() {
    let (criteria, findings) = prove("tiny");
    let stories: Vec<_> = findings.iter().map(|one| (one.claim, &one.story)).collect();
    assert!(stories.is_empty(), "{stories:#?}");
    let passed: Vec<_> = criteria
        .iter()
        .filter(|result| result.verdict == Verdict::Pass)
        .map(|result| result.criterion.id)
        .collect();
    assert_eq!(passed, ["AC-02", "AC-04", "AC-09"]);
    assert_eq!(recordings(&criteria), (4, 0), "a plan and a creation, twice each");
    let claims = criteria.iter().flat_map(|result| &result.claims);
    let creation = claims.filter(|claim| claim.claim.id == "AC-02.recorded-creation");
    let states: u64 = creation.filter_map(|claim| Some(claim.evidence.as_ref()?.done)).sum();
    assert_eq!(states, 5, "the calls of a creation are not settled before it is over");
}

/// Before it recovers, this driver makes a call that no recording tells. The first life of a store has
/// no such moment.
#[test]
fn a_recovery_that_cannot_be_recorded_is_not_measured() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("driver.sh");
    let before_recovery = r#"first=yes; while read -r line; do case $first$line in
        yes*'"open"'*) first=no; dir=${line#*'"dir":"'}; dir=${dir%%'"'*}
            if [ -e "$dir/tiny.log" ]; then ln -s tiny.log "$dir/l"; rm "$dir/l"; fi;;
        esac; echo "$line"; done"#;
    std::fs::write(&script, format!("({before_recovery}) | {PROGRAM} driver tiny\n")).unwrap();
    let (criteria, findings) = prove_recordings(&script);
    assert!(findings.is_empty(), "{findings:?}");
    let claims = criteria.iter().flat_map(|result| &result.claims);
    let nested = claims.filter(|claim| claim.claim.id == "AC-02.recorded-recovery-killed");
    let stopped: Vec<_> =
        nested.filter_map(|claim| claim.evidence.as_ref()?.stopped.as_ref()).collect();
    assert!(matches!(stopped[..], [(_, note)] if note.contains("symlink")), "{stopped:?}");
}

/// A driver that leaves a moment's number beside the store whenever it opens it.
#[test]
fn recordings_that_differ_are_told_and_each_is_explored() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("noisy");
    let noisy = r#"while read -r line; do
        place=${line#*\"dir\":\"}
        [ "$place" = "$line" ] || date +%N > "${place%%\"*}/noise"
        printf '%s\n' "$line"
    done"#;
    std::fs::write(&script, format!("{noisy} | {PROGRAM} driver tiny")).unwrap();
    let (criteria, findings) = prove_recordings(&script);
    assert_eq!(findings.len(), 0, "{findings:#?}");
    assert_eq!(recordings(&criteria), (4, 4));
}

#[test]
fn an_acknowledgement_before_the_sync_is_seen_in_the_recording() {
    check(
        "flawed:ack-before-sync",
        &["AC-04.recorded-power-loss", "AC-04.recorded-recovery-loses-power"],
    );
}

#[test]
fn the_case_of_a_recorded_crash_shows_it_again() {
    let (_, findings) = prove("flawed:ack-before-sync");
    let dir = tempfile::tempdir().unwrap();
    for finding in findings {
        let case = finding.case.unwrap();
        let replayed = replay(&case, dir.path()).unwrap();
        let again = matches!(replayed, Replayed::Again { kind: Kind::Lost, .. });
        assert!(again, "{}: {replayed:?}", finding.claim);
    }
}

/// A command that cannot be proved: how `prove` ends, and what it says.
fn check_command(command: &str, exit: i32, due: &str) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("files")).unwrap();
    let args = ["--dir", "files", "--watchdog", "1s", "--criteria", "AC-03", "--subject", command];
    let output = super::proofhouse(dir.path(), &[["prove"].as_slice(), &args].concat());
    let said = super::stdout(&output) + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{command}: {said}");
    assert!(said.contains(due), "{command}: {said}");
    assert_eq!(std::fs::read_dir(dir.path().join("files")).unwrap().count(), 0, "{command}");
}

#[test]
fn what_a_command_does_wrong_is_told_and_nothing_stays_behind() {
    let driver = format!("{PROGRAM} driver tiny");
    check_command("./no-such-driver", 1, "the driver exited with code 127");
    check_command("/bin/sleep 600", 14, "did not answer request 0 (hello) within 1 s");
    let four = "for n in 1 2 3 4; do read -r line && echo \"$line\"; done";
    let early = format!("/bin/sh -c '({four}) | {driver}'");
    check_command(&early, 13, "exited with code 0 instead of answering");
    let silent = format!("/bin/sh -c '({four}; exec sleep 600) | {driver}'");
    check_command(&silent, 14, "did not answer request 4");
    let elsewhere = format!("/bin/sh -c 'echo one > written; exec {driver}'");
    check_command(&elsewhere, 0, "changed something outside the store's directory (1 × openat");
}

#[test]
fn processes_that_a_driver_leaves_behind_end_with_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let noted = pids.display();
    let stray = format!("(setsid sleep 600 >/dev/null 2>&1 & echo $! >> {noted})");
    let command = format!("/bin/sh -c '{stray}; exec {PROGRAM} driver tiny'");
    let args = ["prove", "--criteria", "AC-09", "--subject", &command];
    let output = super::proofhouse(dir.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", super::stdout(&output));
    let noted = std::fs::read_to_string(pids).unwrap();
    assert!(noted.lines().count() > 0);
    assert!(noted.lines().all(|pid| !super::commands::lives(pid)), "{noted}");
}

/// The finding of a recorded crash in a driver of this name, made small.
fn small(name: &str, claim: &str) -> Finding {
    let (_, findings) = prove(name);
    let found = findings.into_iter().find(|one| one.claim == claim);
    assert!(found.is_some(), "{name} does not fail {claim}");
    found.unwrap()
}

/// A recorded finding is shrunk to so few operations, the same each time, and shown again in all
/// of its causes.
fn check_small(claim: &str, operations: usize) {
    let [finding, again] = [(), ()].map(|()| small("flawed:ack-before-sync", claim));
    let case = finding.case.unwrap();
    assert!((1..=operations).contains(&case.plan.ops.len()), "{}", case.plan);
    assert!(case.story.iter().any(|line| line.contains("operations are left")), "{case:?}");
    assert_eq!(case.to_json().unwrap(), again.case.unwrap().to_json().unwrap());
    let dir = tempfile::tempdir().unwrap();
    for cause in 1..=case.causes.len().max(1) {
        let case = case.clone().of_cause(cause).unwrap();
        let replayed = replay(&case, dir.path()).unwrap();
        let again = matches!(replayed, Replayed::Again { kind: Kind::Lost, .. });
        assert!(again, "cause {cause}: {replayed:?}");
    }
}

#[test]
fn a_recorded_finding_is_shrunk_to_the_operations_it_takes() {
    check_small("AC-04.recorded-power-loss", 3);
}

#[test]
fn a_finding_in_a_recorded_recovery_is_shrunk_too() {
    check_small("AC-04.recorded-recovery-loses-power", 3);
}

#[test]
fn a_real_kill_is_told_call_by_call() {
    let finding = small("flawed:leftover-refused", "AC-02.real-kills");
    let dir = tempfile::tempdir().unwrap();
    match replay(&finding.case.unwrap(), dir.path()).unwrap() {
        Replayed::Again { kind: Kind::RecoveryFailed, steps, .. } => {
            assert!(steps.contains("create tiny.log.tmp: in the page cache"), "{steps}");
            assert!(steps.contains("process kill"), "{steps}");
        }
        other => panic!("{other:?}"),
    }
}

/// Someone else puts a file beside the store that is being recorded.
#[test]
fn a_recording_that_is_not_all_that_happened_breaks_the_harness() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("files")).unwrap();
    let [asks, answers] = ["asks", "answers"].map(|name| {
        let path = dir.path().join(name);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // Both ends, so that no open of it waits.
        std::fs::File::options().read(true).write(true).open(path).unwrap()
    });
    std::thread::spawn(move || {
        for place in BufReader::new(asks).lines() {
            std::fs::write(Path::new(&place.unwrap()).join("else"), "something").unwrap();
            (&answers).write_all(b"done\n").unwrap();
        }
    });
    let script = dir.path().join("driver");
    let fifos = dir.path().display();
    let watched = format!(
        r#"while read -r line; do
            place=${{line#*\"dir\":\"}}
            [ "$place" = "$line" ] || {{ echo "${{place%%\"*}}" > {fifos}/asks; read -r done < {fifos}/answers; }}
            printf '%s\n' "$line"
        done"#
    );
    std::fs::write(&script, format!("({watched}) | {PROGRAM} driver tiny\n")).unwrap();
    let command = format!("/bin/sh {}", script.display());
    let args = ["prove", "--dir", "files", "--criteria", "AC-02", "--subject", &command];
    let output = super::proofhouse(dir.path(), &args);
    let said = super::stdout(&output);
    assert_eq!(output.status.code(), Some(16), "{said}");
    assert!(said.contains("the recording is not what happened: else"), "{said}");
}

#[test]
fn every_sync_of_the_recorded_store_bears_load() {
    let dir = tempfile::tempdir().unwrap();
    let subject = format!("{PROGRAM} driver tiny");
    let output = super::proofhouse(dir.path(), &["mutate-io", "--dir", ".", "--subject", &subject]);
    let said = super::stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("4 of 4 sites are load-bearing, 0 are not"), "{said}");
}
