use super::Rng;

#[test]
fn the_sequence_of_a_seed_never_changes() {
    // Reference values of SplitMix64 for seed 1234567 (Rosetta Code, "Pseudo-random numbers").
    let mut rng = Rng::new(1_234_567);
    let words = [rng.next(), rng.next(), rng.next()];
    assert_eq!(
        words,
        [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
    );
}

#[test]
fn draws_stay_within_their_bounds_and_reach_them() {
    let mut rng = Rng::new(7);
    let draws: Vec<u64> = (0..200).map(|_| rng.between(3, 6)).collect();
    for bound in 3..=6 {
        assert!(draws.contains(&bound), "{bound} was never drawn");
    }
    assert!(draws.iter().all(|n| (3..=6).contains(n)));
    assert_eq!(rng.below(0), 0);
    assert_eq!(rng.pick::<u8>(&[]), None);
}
