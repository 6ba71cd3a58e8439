use super::*;

#[test]
fn commits_with_a_sync_each_say_nothing_of_sharing() {
    let check = |commits, syncs, reason| {
        let tally = Tally { rounds: 5, run: 5, commits, reads: 9000, between: 500 };
        let evidence = evidence(&tally, syncs);
        let stopped = evidence.stopped.as_ref().map(|(reason, _)| *reason);
        assert_eq!(stopped, reason, "{commits} commits, {syncs} syncs");
        assert_eq!(evidence.observed["syncs"], syncs);
    };
    check(900, 400, None);
    check(900, 850, None);
    check(900, 851, Some(Reason::NotReached));
    check(900, 930, Some(Reason::NotReached));
}
