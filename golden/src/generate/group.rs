//! Vectors about one rule, put together.

use std::collections::BTreeMap;

use entidb_engine::codec::{Profile, RejectClass, Value};

use crate::codec::Codec;
use crate::file::{Bytes, Entry, Expect, Limits};
use crate::naive::Naive;
use crate::notation;
use crate::vectors::{PROFILES, profile_name};

/// The vectors about one rule.
pub(super) struct Group {
    rule: &'static str,
    source: &'static str,
    drafts: Vec<Draft>,
}

struct Draft {
    id: String,
    meaning: String,
    bytes: Vec<u8>,
    value: Option<Value>,
    diagnostic: String,
    limits: Option<Limits>,
    /// By profile, in the order of [`PROFILES`].
    expect: [Result<(), RejectClass>; 2],
}

impl Group {
    /// A group about `rule`, each of its ids beginning with it, argued by `source`.
    pub(super) fn new(rule: &'static str, source: &'static str) -> Self {
        Self { rule, source, drafts: Vec::new() }
    }

    /// A value with the bytes the naive codec writes.
    pub(super) fn accept(
        &mut self,
        id: impl Into<String>,
        meaning: impl Into<String>,
        value: Value,
    ) {
        // A value without an encoding would leave no bytes, which no codec accepts.
        let bytes = Naive::BYTEWISE.encode(&value, Profile::Floats).unwrap_or_default();
        self.accept_bytes(id, meaning, value, bytes);
    }

    /// A value with given bytes; with a float in it, under the profile of floats only.
    pub(super) fn accept_bytes(
        &mut self,
        id: impl Into<String>,
        meaning: impl Into<String>,
        value: Value,
        bytes: Vec<u8>,
    ) {
        let expect = PROFILES.map(|profile| match Naive::BYTEWISE.encode(&value, profile) {
            Ok(_) => Ok(()),
            Err(_) => Err(RejectClass::FloatForbidden),
        });
        let diagnostic = notation::diagnostic(&value);
        self.push(id.into(), meaning.into(), bytes, Some(value), diagnostic, expect);
    }

    /// Bytes that both profiles refuse alike. `diagnostic` may be empty: not all bytes have one.
    pub(super) fn reject(
        &mut self,
        id: impl Into<String>,
        meaning: impl Into<String>,
        diagnostic: impl Into<String>,
        bytes: Vec<u8>,
        class: RejectClass,
    ) {
        self.push(id.into(), meaning.into(), bytes, None, diagnostic.into(), [Err(class); 2]);
    }

    /// Bytes of a float that the standard profile refuses as such, and the other for `class`.
    pub(super) fn reject_float(
        &mut self,
        id: impl Into<String>,
        meaning: impl Into<String>,
        diagnostic: impl Into<String>,
        bytes: Vec<u8>,
        class: RejectClass,
    ) {
        let expect = [Err(RejectClass::FloatForbidden), Err(class)];
        self.push(id.into(), meaning.into(), bytes, None, diagnostic.into(), expect);
    }

    /// Limits for the last vector added.
    pub(super) fn limit(&mut self, limits: Limits) {
        if let Some(draft) = self.drafts.last_mut() {
            draft.limits = Some(limits);
        }
    }

    fn push(
        &mut self,
        id: String,
        meaning: String,
        bytes: Vec<u8>,
        value: Option<Value>,
        diagnostic: String,
        expect: [Result<(), RejectClass>; 2],
    ) {
        self.drafts.push(Draft { id, meaning, bytes, value, diagnostic, limits: None, expect });
    }

    /// The lines of the family's file, each with the file its bytes went to, if they did.
    pub(super) fn finish(self) -> impl Iterator<Item = (Entry, Option<(String, Vec<u8>)>)> {
        let Self { rule, source, drafts } = self;
        drafts.into_iter().map(move |draft| {
            let (bytes, file) = Bytes::of(&draft.bytes, format!("cbor/{rule}-{}.bin", draft.id));
            let expect = PROFILES.iter().zip(draft.expect).map(|(profile, outcome)| {
                let expect = match outcome {
                    Ok(()) => Expect::Accept,
                    Err(class) => Expect::Reject(class.name().to_owned()),
                };
                (profile_name(*profile).to_owned(), expect)
            });
            let entry = Entry {
                id: format!("{rule}/{}", draft.id),
                rule: rule.to_owned(),
                meaning: draft.meaning,
                source: source.to_owned(),
                value: draft.value.as_ref().map(notation::from_value),
                diagnostic: Some(draft.diagnostic).filter(|text| !text.is_empty()),
                given: draft.limits.as_ref().map(given),
                bytes: Some(bytes),
                files: None,
                expect: expect.collect::<BTreeMap<_, _>>(),
            };
            (entry, file)
        })
    }
}

#[expect(clippy::expect_used, reason = "two numbers")]
fn given(limits: &Limits) -> serde_json::Value {
    serde_json::to_value(limits).expect("numbers have a JSON text")
}
