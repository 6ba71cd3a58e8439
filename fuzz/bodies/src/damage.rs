//! Damage without a fuzzer's guidance: what any compiler can do with seeds and a dictionary.

use proofhouse_model::rng::Rng;

use crate::seeds::Beginning;
use crate::{Target, Under};

/// What came of trying a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// Every input held.
    Held,
    /// The first that did not, and what is broken.
    Broken(Vec<u8>, String),
}

/// Tries so many inputs, each a seed damaged in up to seven places; one seed decides all of it.
pub fn attempt(target: &Target, from: &Beginning, under: Under, count: u64, seed: u64) -> Tried {
    let mut rng = Rng::new(seed);
    let (seeds, words): (Vec<_>, Vec<_>) =
        (from.seeds.iter().collect(), from.words.iter().collect());
    for _ in 0..count {
        let mut input = rng.pick(&seeds).map_or_else(Vec::new, |seed| (*seed).clone());
        for _ in 0..rng.below(8) {
            let word = rng.pick(&words).map_or(&[][..], |word| word.as_slice());
            damage(&mut input, word, &mut rng);
        }
        input.truncate(target.len_max);
        if let Err(broken) = (target.body)(&input, under) {
            return Tried::Broken(input, broken.to_string());
        }
    }
    Tried::Held
}

/// Damages an input in one place.
fn damage(input: &mut Vec<u8>, word: &[u8], rng: &mut Rng) {
    // An input is short, so its length is a number of either kind.
    let below = |rng: &mut Rng, len: usize| usize::try_from(rng.below(len as u64)).unwrap_or(0);
    let at = below(rng, input.len() + 1);
    let byte = rng.next().to_le_bytes()[0];
    let end = (at + 1 + below(rng, 64)).min(input.len());
    match (rng.below(9), input.get_mut(at)) {
        (0, Some(changed)) => *changed ^= 1 << (byte % 8),
        (1, Some(changed)) => *changed = byte,
        (2, Some(changed)) => *changed = changed.wrapping_add(1),
        (3, Some(_)) => drop(input.drain(at..end)),
        (4, Some(_)) => input[at..end].fill(0),
        (5, Some(_)) => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        (6, _) => drop(input.splice(at..at, word.iter().copied())),
        (7, _) => input.push(byte),
        _ => input.insert(at, byte),
    }
}
