use super::*;
use crate::criteria::Status;
use crate::finding::World;

#[test]
fn every_claim_that_exists_is_served_by_one_room() {
    let served: Vec<_> = ROOMS.iter().flat_map(|room| room.claims).copied().collect();
    let unique: BTreeSet<_> = served.iter().copied().collect();
    assert_eq!(served.len(), unique.len());
    let claims = ALL.iter().flat_map(|criterion| criterion.claims);
    let exist = claims.filter(|claim| claim.status == Status::Exists).map(|claim| claim.id);
    assert_eq!(unique, exist.collect());
}

#[test]
fn cases_of_different_rooms_have_different_seeds() {
    let seeds: BTreeSet<_> =
        ROOMS.iter().flat_map(|room| (0..100).map(|case| seed_of(1, room.name, case))).collect();
    assert_eq!(seeds.len(), ROOMS.len() * 100);
}

#[test]
fn the_first_finding_of_each_claim_and_kind_is_told() {
    let find = |kind, story: &str| {
        Finding::new(kind, World::ProcessKill, "AC-02.real-kills", story.to_owned())
    };
    let findings =
        vec![find(Kind::Lost, "first"), find(Kind::Lost, "second"), find(Kind::Unstable, "third")];
    let told: Vec<_> = first_of_each(findings).into_iter().map(|one| one.story).collect();
    assert_eq!(told, ["first", "third"]);
}
