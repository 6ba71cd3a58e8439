//! Trees as short strings: a letter a sector.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proofhouse_crash::{Choice, Exception, Fate, Part, Profile, Rest, SECTOR, Trace, Tree};

/// What a tree shows, such as `a=AB.~ d/`: files with one character a sector, and directories.
///
/// `.` is zeros, a letter is that letter throughout, `~` is anything else; an incomplete last
/// sector is followed by its length.
pub(crate) fn outcome(tree: &Tree) -> String {
    let files = tree.files().map(|(path, content)| {
        let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
        assert!(content.read(0, &mut bytes));
        format!("{path}={}", sectors(&bytes))
    });
    let mut shown: Vec<String> = files.chain(tree.dirs().map(|dir| format!("{dir}/"))).collect();
    shown.sort();
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(" ") }
}

/// One character a sector, as [`outcome`] prints them.
pub(crate) fn sectors(bytes: &[u8]) -> String {
    let len = usize::try_from(SECTOR).unwrap();
    let mut shown: String = bytes
        .chunks(len)
        .map(|sector| match sector[0] {
            first if sector.iter().any(|byte| *byte != first) => '~',
            0 => '.',
            letter => char::from(letter),
        })
        .collect();
    if !bytes.len().is_multiple_of(len) {
        write!(shown, "({})", bytes.len() % len).unwrap();
    }
    shown
}

/// Everything a power loss at a crash point may leave, by brute force: every set of parts kept.
///
/// # Panics
/// If more than 16 parts are pending.
pub(crate) fn every_outcome(trace: &Trace, profile: Profile, at: usize) -> BTreeSet<String> {
    let parts = pending_parts(trace, profile, at);
    assert!(parts.len() <= 16, "too many parts for brute force: {}", parts.len());
    (0..1_u32 << parts.len())
        .map(|mask| {
            let kept = parts.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
            let choice = lost_but(profile, at, kept.map(|(_, part)| part.clone()).collect());
            outcome(&trace.state(&choice).unwrap().base)
        })
        .collect()
}

/// The smallest parts of all operations pending at a crash point.
pub(crate) fn pending_parts(trace: &Trace, profile: Profile, at: usize) -> Vec<Exception> {
    let fits = |exception: &Exception| {
        trace.state(&lost_but(profile, at, vec![exception.clone()])).is_ok()
    };
    let mut found = Vec::new();
    for op in 0..trace.carried.len() + at {
        let sectors = (0..).map(|first| Exception { op, part: Part::Sectors { first, count: 1 } });
        let sectors = sectors.take_while(fits);
        let sizes = (0..).map(|first| Exception { op, part: Part::Sizes { first, count: 1 } });
        let parts: Vec<Exception> = sectors.chain(sizes.take_while(fits)).collect();
        let whole = Some(Exception { op, part: Part::Whole }).filter(fits);
        found.extend(whole.filter(|_| parts.is_empty()).into_iter().chain(parts));
    }
    found
}

fn lost_but(profile: Profile, at: usize, except: Vec<Exception>) -> Choice {
    Choice { at, fate: Fate::PowerLoss { profile, rest: Rest::Lost, except } }
}
