use super::*;

/// What one plain put stores.
fn entity(id: Id, number: u16) -> (Id, Bytes) {
    let Op::Put { payload: Payload::Raw { bytes, .. }, .. } = put(id, number) else {
        unreachable!("put makes a raw put")
    };
    (id, bytes)
}

/// Two commits that move a unit from account 0 to 1 and back, numbered by their sequence, after
/// which `last` is the number in the entity that both wrote, and account 0 holds `held`.
fn round(last: u16, held: u16) -> Round {
    let mut left: Entities = (0..HOLDERS).map(|n| entity(Id::nth(n), DEPOSIT)).collect();
    left[0] = entity(Id::nth(0), held);
    left.push(entity(LAST, last));
    let there = Commit { from: 0, to: 1, number: 700, sequence: Some(1) };
    let back = Commit { from: 1, to: 0, number: 7, sequence: Some(2) };
    // The later commit is listed first, as threads are joined in any order.
    Round { commits: vec![back, there], reads: Vec::new(), left, torn: None, moved: None }
}

#[test]
fn a_last_writer_other_than_the_last_sequence_is_told() {
    let check = |last, held, told| {
        let story = differs_from_replay(&round(last, held));
        assert_eq!(story.is_some(), told, "last {last}, held {held}: {story:?}");
    };
    check(7, DEPOSIT, false);
    // Right accounts, wrong order: only the last writer's mark shows it.
    check(700, DEPOSIT, true);
    check(7, DEPOSIT - 1, true);
}

#[test]
fn the_last_writers_mark_is_no_account() {
    assert_eq!(not_constant(&round(700, DEPOSIT).left), None);
    assert!(not_constant(&round(700, DEPOSIT - 1).left).is_some());
}

#[test]
fn only_readings_that_show_a_part_of_the_commits_fell_between_them() {
    let check = |stamps: &[u16], between| {
        let seen = stamps.iter().map(|number| stamp(*number)).collect();
        let round = Round { reads: vec![seen], ..round(7, DEPOSIT) };
        assert_eq!(round.between(), between, "{stamps:?}");
    };
    check(&[], 0);
    check(&[700], 1);
    check(&[700, 7], 0);
}

#[test]
fn a_handful_of_readings_is_not_enough_for_what_readers_judge() {
    let check = |claim, run, between, reason| {
        let tally = Tally { rounds: 5, run, commits: 4500, reads: 9000, between };
        let evidence = tally.evidence(claim);
        let stopped = evidence.stopped.as_ref().map(|(reason, _)| *reason);
        assert_eq!(stopped, reason, "{claim}, {run} rounds, {between} between");
        assert_eq!(evidence.possible, None);
    };
    for claim in LOOKED_AT {
        assert!([ROOM.claims, group_commit::ROOM.claims].concat().contains(&claim));
        check(claim, 5, 5 * READINGS, None);
        check(claim, 5, 5 * READINGS - 1, Some(Reason::NotReached));
        check(claim, 4, 5 * READINGS, Some(Reason::Budget));
    }
    check("AC-01.concurrent", 5, 0, None);
    check("AC-01.concurrent", 4, 0, Some(Reason::Budget));
}
