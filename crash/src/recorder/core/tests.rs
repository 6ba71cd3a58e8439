use super::*;

#[test]
fn recordings_side_by_side_take_different_cores() {
    // No machine of these tests has such cores: nobody else takes them.
    let cores = [1000, 1001, 1002];
    let mut set = CpuSet::new();
    for core in cores {
        set.set(core);
    }
    let share = |tid| Shared::new(tid, &set);
    let first: Vec<_> = (1..=3).map(share).collect();
    let mut taken: Vec<_> = first.iter().map(|shared| shared.core).collect();
    taken.sort_unstable();
    assert_eq!(taken, cores);

    let core = first[1].core;
    drop(first);
    let again = [share(1), share(2), share(3), share(4)];
    assert!(again.iter().any(|shared| shared.core == core));
}
