use std::collections::BTreeMap;

use super::*;
use crate::generate;

#[test]
fn embedded_files_are_the_generated_ones() {
    let embedded: BTreeMap<_, _> =
        FILES.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    assert!(embedded == generate(), "write the vectors anew with `proofhouse vectors generate`");
}
