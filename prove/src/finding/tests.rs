use super::*;

fn found(kind: Kind, world: World, under_test: &'static str) -> Finding {
    Finding::new(kind, world, under_test, String::new())
}

#[test]
fn crash_findings_are_booked_by_what_happened() {
    let kill = "AC-02.kill-boundaries";
    let power = "AC-04.power-loss";
    for (kind, world, under_test, due) in [
        (Kind::Lost, World::ProcessKill, kill, kill),
        (Kind::Lost, World::ProcessKill, "AC-02.real-kills", "AC-02.real-kills"),
        (Kind::Lost, World::PowerLoss, power, power),
        (Kind::Lost, World::PowerLoss, kill, power),
        (Kind::Partial, World::ProcessKill, kill, "AC-03.crash-atomic"),
        (Kind::Ahead, World::PowerLoss, power, "AC-03.crash-atomic"),
        (Kind::RecoveryFailed, World::PowerLoss, power, power),
        (Kind::Unstable, World::ProcessKill, "AC-02.recovery-stable", "AC-02.recovery-stable"),
        (Kind::PathsDisagree, World::ProcessKill, kill, "AC-08.differential"),
        (Kind::NonDeterminism, World::ProcessKill, kill, "AC-01.same-process"),
    ] {
        assert_eq!(found(kind, world, under_test).claim, due, "{kind:?} {world:?} {under_test}");
    }
}

#[test]
fn findings_of_undisturbed_runs_stay_with_their_claim() {
    let finding = found(Kind::Divergence, World::Undisturbed, "AC-09.differential");
    assert_eq!(finding.criterion(), "AC-09");
}

#[test]
fn the_worst_finding_decides_the_exit() {
    let diverges = found(Kind::Divergence, World::Undisturbed, "AC-09.differential");
    let loses = found(Kind::Lost, World::ProcessKill, "AC-02.kill-boundaries");
    let breaks = found(Kind::HarnessBroken, World::ProcessKill, "AC-02.real-kills");
    assert_eq!(exit([].iter()), Exit::Clean);
    assert_eq!(exit([diverges.clone()].iter()), Exit::Divergence);
    assert_eq!(exit([diverges.clone(), loses.clone()].iter()), Exit::Lost);
    assert_eq!(exit([diverges, loses, breaks].iter()), Exit::HarnessBroken);
}

#[test]
fn each_kind_has_an_exit_that_precedence_knows() {
    for kind in [
        Kind::Divergence,
        Kind::Lost,
        Kind::Partial,
        Kind::Ahead,
        Kind::PathsDisagree,
        Kind::RecoveryFailed,
        Kind::Unstable,
        Kind::Panic,
        Kind::Hang,
        Kind::NonDeterminism,
        Kind::SilentCorruption,
        Kind::HarnessBroken,
    ] {
        assert!(PRECEDENCE.contains(&kind.exit()), "{kind:?}");
    }
}
