//! Subjects by name.

use proofhouse_subjects::tiny::Tiny;
use proofhouse_subjects::{Placed, Reference, flawed};

/// The subject with this name on the command line: `reference`, `tiny` or `flawed:NAME`.
pub fn named(name: &str) -> Option<Placed> {
    match name.split_once(':') {
        None if name == "reference" => Some(Placed::new(Reference::new())),
        None if name == "tiny" => Some(Placed::new(Tiny::sound())),
        Some(("flawed", flaw)) => {
            let found = flawed::all().into_iter().find(|flawed| flawed.name == flaw)?;
            Some(found.subject)
        }
        _ => None,
    }
}

/// Every name and a sentence on it.
pub fn names() -> Vec<(String, &'static str)> {
    let mut names = vec![
        ("reference".to_owned(), "the reference engine, EntiDB"),
        ("tiny".to_owned(), "a small sound store, the base of the flawed ones"),
    ];
    names.extend(flawed::all().iter().map(|one| (format!("flawed:{}", one.name), one.flaw)));
    names
}
