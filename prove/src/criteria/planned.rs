//! The criteria whose measurement waits for later work: one claim each, to be split when built.

use super::Status::Planned;
use super::{Claim, Criterion, Need};

pub(super) static INDEXES: Criterion = Criterion {
    id: "AC-10",
    title: "index correctness",
    statement: "An index never changes a result.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-10.matrix",
        text: "Every read gives the same with an index absent, present, dropped, rebuilt, \
                   corrupted or crashed.",
        method: "Each plan once per index state; outcomes compared.",
        needs: &[],
        status: Planned("indexes"),
    }],
};

pub(super) static SCANS: Criterion = Criterion {
    id: "AC-11",
    title: "scans visible",
    statement: "A full scan is explicit, counted and can be forbidden.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-11.counted",
        text: "Every scan is counted, with examined and returned as the oracle has them.",
        method: "Telemetry beside the oracle, and the table of scan policies.",
        needs: &[],
        status: Planned("scan telemetry"),
    }],
};

pub(super) static FEED: Criterion = Criterion {
    id: "AC-13",
    title: "committed only in feed",
    statement: "The feed shows what was committed, all of it and nothing else.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-13.log",
        text: "The feed equals the oracle's commit log, with aborts, conflicts, crashes and \
                   restarts.",
        method: "The feed beside the oracle's commit log.",
        needs: &[],
        status: Planned("the feed"),
    }],
};

pub(super) static SYNC: Criterion = Criterion {
    id: "AC-14",
    title: "idempotent sync",
    statement: "Applying a synchronised operation again changes nothing.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-14.repeat",
        text: "Operations applied several times, duplicated or reordered by page leave the \
                   same state.",
        method: "Each operation one to five times, with lost acknowledgements.",
        needs: &[],
        status: Planned("synchronisation"),
    }],
};

pub(super) static BINDINGS: Criterion = Criterion {
    id: "AC-15",
    title: "bindings equal",
    statement: "Every language binding behaves the same.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-15.parity",
        text: "The same plans give the same outcomes through every binding.",
        method: "The line protocol spoken by each binding, outcome by outcome.",
        needs: &[Need::EntiDb],
        status: Planned("bindings"),
    }],
};

pub(super) static NO_QUERIES: Criterion = Criterion {
    id: "AC-16",
    title: "no query language",
    statement: "No query language, string predicate or builder is exported.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-16.surface",
        text: "The exported interface equals a reviewed list.",
        method: "The public items of the engine against the list.",
        needs: &[Need::EntiDb],
        status: Planned("the interface audit"),
    }],
};

pub(super) static WEB: Criterion = Criterion {
    id: "AC-17",
    title: "web durability",
    statement: "An acknowledged commit survives the end of its browser tab.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-17.tab",
        text: "A tab ended at any step and loaded again holds every acknowledged commit.",
        method: "A real browser; the acceptance rule of the crash tiers.",
        needs: &[Need::EntiDb],
        status: Planned("the web build"),
    }],
};

pub(super) static BYTE_STORE: Criterion = Criterion {
    id: "AC-18",
    title: "byte store only",
    statement: "Backends store opaque bytes and know nothing of entities.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-18.contract",
        text: "Every backend passes the storage contract; the web backend imports no keyed \
                   store.",
        method: "One contract suite over all backends, and the imports of the web backend.",
        needs: &[Need::EntiDb],
        status: Planned("the web build"),
    }],
};

pub(super) static NOTHING_FORBIDDEN: Criterion = Criterion {
    id: "AC-19",
    title: "nothing forbidden",
    statement: "None of what the requirements forbid is there.",
    advice: NOT_YET,
    claims: &[Claim {
        id: "AC-19.audit",
        text: "All other criteria hold and the audits find nothing.",
        method: "The other eighteen verdicts and the audits.",
        needs: &[Need::EntiDb],
        status: Planned("the remaining criteria"),
    }],
};

const NOT_YET: &str = "Nothing is measured yet, so nothing can fail.";
