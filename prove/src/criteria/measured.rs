//! The criteria measured today.

use super::Status::{Exists, Planned};
use super::{Claim, Criterion, Need};

pub(super) static DETERMINISM: Criterion = Criterion {
    id: "AC-01",
    title: "determinism",
    statement: "The same operations leave the same bytes and give the same answers.",
    advice: "Look for the iteration order of hash maps, clocks, addresses or thread timing in \
             what is written. The case file names the first file and offset that differ.",
    claims: &[
        Claim {
            id: "AC-01.same-process",
            text: "A plan run twice in one process leaves byte-equal files, at every moment.",
            method: "Each generated plan runs on two fresh simulated disks; their traces must be \
                     equal, call by call and byte by byte.",
            needs: &[],
            status: Exists,
        },
        Claim {
            id: "AC-01.other-process",
            text: "A plan run in another process, with other hasher seeds and on real files, \
                   leaves the same bytes.",
            method: "A child process runs each plan in a temporary directory and prints the \
                     digest of every file; it must equal the digest on the simulated disk.",
            needs: &[],
            status: Exists,
        },
        Claim {
            id: "AC-01.digest",
            text: "A fixed plan leaves the files whose digest is checked in.",
            method: "One plan with a fixed seed; the digest of all names and contents equals the \
                     constant in the source, so a change of format cannot pass unseen.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
        Claim {
            id: "AC-01.concurrent",
            text: "Concurrent clients leave the state that their commits leave when replayed \
                   one by one in commit order.",
            method: "Real threads commit transfers that all overwrite one entity, too; the \
                     oracle replays them ordered by sequence and must reach the same state, the \
                     last writer's content included.",
            needs: &[Need::Clients, Need::Transactions, Need::Sequences],
            status: Exists,
        },
    ],
};

pub(super) static CRASH_SAFETY: Criterion = Criterion {
    id: "AC-02",
    title: "crash safety",
    statement: "After the process is killed at any moment, the store opens and holds every \
                acknowledged commit.",
    advice: "Check that recovery drops a torn tail before it appends, that a new file is named \
             by the manifest only once it is complete, and that recovery itself can be killed.",
    claims: &[
        Claim {
            id: "AC-02.kill-boundaries",
            text: "A kill at any storage call, or at any page border inside a write, loses \
                   nothing acknowledged: commits, rotation, checkpoint, reopen.",
            method: "Tier T0 on the simulated disk: every prefix of the trace of each plan, \
                     whose creation is settled, is recovered and judged.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.recovery-killed",
            text: "A kill during recovery, or during the life after it, loses nothing that was \
                   acknowledged or shown.",
            method: "Every distinct recovery and two commits after it are recorded and cut again \
                     at every boundary (T0).",
            needs: &[Need::KillPromise, Need::ShownKillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.creation",
            text: "A kill while the store is being created leaves something that opens.",
            method: "Tier T0 over the first open of a store, nothing settled.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.recovery-stable",
            text: "Recovery refuses no legal state, and opening twice shows the same.",
            method: "Each recovered store is closed without a write and opened once more.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.real-kills",
            text: "A real SIGKILL before or after any call that can change files loses nothing \
                   acknowledged.",
            method: "A child process kills itself before and after its i-th call, for every i; \
                     acknowledgements travel through a pipe; a fresh process recovers.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.random-kills",
            text: "A real SIGKILL from outside at a random moment loses nothing acknowledged.",
            method: "The supervisor kills the child after a seeded number of acknowledgements \
                     and a seeded delay; a fresh process recovers.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.clean-close",
            text: "A clean close keeps everything.",
            method: "Generated plans with reopens run beside the oracle, outcome by outcome.",
            needs: &[],
            status: Exists,
        },
        Claim {
            id: "AC-02.recorded-kills",
            text: "A kill of the engine as it runs on real files, before or after any system call, loses nothing that it promised to keep.",
            method: "An unmodified process of the engine is recorded, call by call; tier T0 of that trace, creation settled, is made again on a memory file system, and each state is opened, read, opened again, written to and closed by another process of the engine.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.recorded-recovery-killed",
            text: "A kill during such a recovery, or in the life after it, loses nothing that was promised.",
            method: "Every so many-th recovery and the two commits after it are recorded, too, and cut again at every call (T0).",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.recorded-creation",
            text: "A kill while such a store is being created leaves something that opens.",
            method: "Tier T0 of the recorded first open of a store, nothing settled.",
            needs: &[Need::KillPromise],
            status: Exists,
        },
        Claim {
            id: "AC-02.compaction",
            text: "A kill during compaction loses nothing.",
            method: "As AC-02.kill-boundaries, over plans that compact.",
            needs: &[Need::KillPromise, Need::Compaction],
            status: Exists,
        },
        Claim {
            id: "AC-02.index-build",
            text: "A kill during an index build loses nothing.",
            method: "As AC-02.kill-boundaries, over plans that build indexes.",
            needs: &[Need::KillPromise],
            status: Planned("indexes"),
        },
    ],
};

pub(super) static NO_PARTIAL_STATE: Criterion = Criterion {
    id: "AC-03",
    title: "no partial state",
    statement: "Nobody ever sees a part of a transaction.",
    advice: "Publish a commit by one atomic step after its sync returned; at recovery, apply a \
             transaction only when its commit record is there.",
    claims: &[
        Claim {
            id: "AC-03.transactions",
            text: "A transaction sees its own writes, and an abandoned one leaves nothing.",
            method: "Generated plans with transactions, aborts and reopens run beside the oracle.",
            needs: &[Need::Transactions],
            status: Exists,
        },
        Claim {
            id: "AC-03.every-call",
            text: "At every storage call of a multi-operation commit, readers see the whole \
                   state before it.",
            method: "A reader runs inside the simulated disk, before each call of the commit, and \
                     compares all it sees with the oracle.",
            needs: &[Need::Transactions, Need::Clients],
            status: Exists,
        },
        Claim {
            id: "AC-03.crash-atomic",
            text: "No crash leaves a part of a transaction, or one that was never issued.",
            method: "Every state of the kill and power-loss tiers equals the oracle after some \
                     number of whole commits.",
            needs: &[Need::Atomicity],
            status: Exists,
        },
        Claim {
            id: "AC-03.recorded-atomic",
            text: "No crash of the engine on real files leaves a part of a transaction, or one that was never issued.",
            method: "Every state of the recorded tiers equals the oracle after some number of whole commits.",
            needs: &[Need::Atomicity],
            status: Exists,
        },
        Claim {
            id: "AC-03.transfers",
            text: "Transfers between accounts by real threads keep the sum constant in every \
                   read.",
            method: "Writers move amounts in two-operation transactions while readers add up the \
                     accounts of one scan.",
            needs: &[Need::Transactions, Need::Clients],
            status: Exists,
        },
    ],
};

pub(super) static DURABILITY: Criterion = Criterion {
    id: "AC-04",
    title: "durability",
    statement: "An acknowledged commit survives a loss of power.",
    advice: "Sync the file before the acknowledgement, the directory after each creation and \
             rename, and the parent after creation; never rely on a name that was not synced.",
    claims: &[
        Claim {
            id: "AC-04.power-loss",
            text: "A power loss at any point, with any single effect lost, kept or torn, loses \
                   nothing acknowledged.",
            method: "Tiers T1 and T2 under the posix profile on the simulated disk, over plans \
                     whose creation is settled; random subsets (T4) in the profile standard, \
                     pairs (T3) too in deep. Media that leave garbage in sectors under way \
                     (bad-media) are reported apart and decide nothing.",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.recovery-loses-power",
            text: "A power loss during recovery, or in the life after it, loses nothing that was \
                   acknowledged or shown.",
            method: "Every distinct recovery and two commits after it are recorded; at every \
                     boundary all that is pending is lost (all-lost).",
            needs: &[Need::PowerPromise, Need::ShownPowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.creation",
            text: "A power loss while the store is being created leaves something that opens.",
            method: "Tiers T1 and T2 over the first open of a store, nothing settled.",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.recorded-power-loss",
            text: "A power loss at any system call of the engine on real files, with any single effect lost, kept or torn, loses nothing that it promised to keep.",
            method: "Tiers T1 and T2 of the recorded trace under the posix profile.",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.recorded-ext4",
            text: "The same under the rules of ext4.",
            method: "Tiers T1 and T2 of the recorded trace under the ext4 profile.",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.recorded-recovery-loses-power",
            text: "A power loss during such a recovery, or in the life after it, loses nothing that was promised.",
            method: "As AC-02.recorded-recovery-killed; at every call all that is pending is lost (all-lost).",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.recorded-creation",
            text: "A power loss while such a store is being created leaves something that opens.",
            method: "Tiers T1 and T2 of the recorded first open of a store, nothing settled.",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.ext4",
            text: "The same as AC-04.power-loss under the rules of ext4 with ordered data.",
            method: "As AC-04.power-loss, on the same plans, profile ext4; a finding that ext4 \
                     shows fails both claims.",
            needs: &[Need::PowerPromise],
            status: Exists,
        },
        Claim {
            id: "AC-04.failed-sync",
            text: "A sync that fails never turns into a lost acknowledged commit.",
            method: "The four known behaviours of a failed sync, at every sync.",
            needs: &[Need::PowerPromise],
            status: Planned("injected faults"),
        },
    ],
};

pub(super) static STORAGE_INDEPENDENCE: Criterion = Criterion {
    id: "AC-05",
    title: "storage independence",
    statement: "The engine keeps its data itself: no other database is underneath.",
    advice: "The finding names the package and the path by which the engine reaches it. Remove \
             the dependency, or argue it onto the allow-list.",
    claims: &[
        Claim {
            id: "AC-05.dependencies",
            text: "The engine's dependencies, direct and indirect, are on a reviewed list and \
                   none is a database.",
            method: "The graph of the lock file, from the engine down, against an allow-list and \
                     a list of known databases.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
        Claim {
            id: "AC-05.files",
            text: "What a run opens through the storage seam has a documented name inside the \
                   store's directory.",
            method: "Every path opened on the simulated disk during generated plans is held \
                     against the documented names.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
    ],
};

pub(super) static SNAPSHOTS: Criterion = Criterion {
    id: "AC-06",
    title: "snapshots",
    statement: "A snapshot shows one state for as long as it lives.",
    advice: "A snapshot must hold what it reads from: check what a checkpoint or a rotation does \
             to versions and files that a reader still needs.",
    claims: &[
        Claim {
            id: "AC-06.differential",
            text: "Snapshots are unchanged by later writes, aborts and checkpoints.",
            method: "Generated plans with snapshots held across them run beside the oracle.",
            needs: &[Need::Snapshots],
            status: Exists,
        },
        Claim {
            id: "AC-06.every-call",
            text: "A long reader sees the same at every storage call of later operations.",
            method: "A snapshot taken at the start of a plan is read in full before each storage \
                     call of all that follows.",
            needs: &[Need::Snapshots, Need::Clients],
            status: Exists,
        },
        Claim {
            id: "AC-06.threads",
            text: "Snapshots hold under real threads.",
            method: "Readers take snapshots while writers commit, and read each repeatedly.",
            needs: &[Need::Snapshots, Need::Clients, Need::Transactions],
            status: Exists,
        },
        Claim {
            id: "AC-06.compaction",
            text: "Compaction leaves live snapshots unchanged.",
            method: "As AC-06.differential, over plans that compact.",
            needs: &[Need::Snapshots, Need::Compaction],
            status: Exists,
        },
        Claim {
            id: "AC-06.histories",
            text: "Concurrent histories show no isolation anomaly.",
            method: "List-append histories, judged for cycles.",
            needs: &[Need::Transactions, Need::Clients],
            status: Planned("isolation histories"),
        },
    ],
};

pub(super) static COMMIT_ORDER: Criterion = Criterion {
    id: "AC-07",
    title: "commit order",
    statement: "Commits are totally ordered by a dense sequence, and become visible in it.",
    advice: "Draw the sequence under the same lock that orders the log, after all checks that \
             can refuse the commit; publish in the same order.",
    claims: &[
        Claim {
            id: "AC-07.dense",
            text: "Sequences count commits without gaps: aborts, empty commits and restarts use \
                   none.",
            method: "Generated plans run beside the oracle; every answered sequence is compared.",
            needs: &[Need::Sequences],
            status: Exists,
        },
        Claim {
            id: "AC-07.visibility",
            text: "Under threads each sequence is given once, and commits become visible in \
                   sequence order.",
            method: "Real threads stamp their commits; a reader that sees one stamp must see all \
                     with smaller sequences.",
            needs: &[Need::Sequences, Need::Clients, Need::Transactions],
            status: Exists,
        },
        Claim {
            id: "AC-07.group-commit",
            text: "Commits that share a sync keep their order.",
            method: "As AC-07.visibility, on a medium whose syncs take time; syncs are counted.",
            needs: &[Need::Sequences, Need::Clients, Need::Transactions],
            status: Exists,
        },
        Claim {
            id: "AC-07.feed",
            text: "The feed has the order of commits.",
            method: "The feed beside the oracle's commit log.",
            needs: &[Need::Sequences],
            status: Planned("the feed"),
        },
    ],
};

pub(super) static IDENTITY: Criterion = Criterion {
    id: "AC-08",
    title: "identity",
    statement: "An identity names the same entity for ever, and is never given twice.",
    advice: "Check that rewriting an entity keeps its identity, that an insert refuses an \
             identity that is live, and that drawing resumes where it stopped after a restart.",
    claims: &[
        Claim {
            id: "AC-08.differential",
            text: "Identities stay with their entities through updates, checkpoints and \
                   restarts.",
            method: "Generated plans run beside the oracle, reads by identity on every path.",
            needs: &[],
            status: Exists,
        },
        Claim {
            id: "AC-08.repeating-entropy",
            text: "An insert never overwrites, even if the entropy source repeats itself.",
            method: "Plans whose entropy list is short and repeats; every insert and all reads \
                     beside the oracle.",
            needs: &[Need::Insert],
            status: Exists,
        },
        Claim {
            id: "AC-08.generated-ids",
            text: "100,000 generated identities are distinct, across restarts.",
            method: "Inserts from a seeded entropy list with a reopen between batches; the \
                     identities answered and those scanned are counted.",
            needs: &[Need::Insert],
            status: Exists,
        },
        Claim {
            id: "AC-08.compaction",
            text: "Compaction keeps identities.",
            method: "As AC-08.differential, over plans that compact.",
            needs: &[Need::Compaction],
            status: Exists,
        },
    ],
};

pub(super) static COLLECTION_ISOLATION: Criterion = Criterion {
    id: "AC-09",
    title: "collection isolation",
    statement: "What happens in one collection is not seen in another.",
    advice: "The key of an entity is (collection, identity), everywhere: memory, log, segments, \
             caches.",
    claims: &[Claim {
        id: "AC-09.differential",
        text: "The same identities in many collections, under all operations, never meet.",
        method: "Generated plans over shared identities run beside the oracle; a divergence is \
                 this criterion's if its shrunk plan still needs two collections.",
        needs: &[],
        status: Exists,
    }],
};

pub(super) static CANONICAL_CBOR: Criterion = Criterion {
    id: "AC-12",
    title: "canonical CBOR",
    statement: "Equal values have equal bytes, in every language, and other bytes are refused.",
    advice: "The finding names a vector; its file gives the value, the bytes, the expected \
             outcome and the paragraph of RFC 8949 it rests on.",
    claims: &[
        Claim {
            id: "AC-12.vectors",
            text: "The codec accepts, refuses and encodes as the vectors say (Rust).",
            method: "Every checked-in CBOR vector through validate, decode and encode.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
        Claim {
            id: "AC-12.bijection",
            text: "Whatever is accepted encodes to the same bytes again.",
            method: "Generated values round trip; mutated encodings are refused or round trip.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
        Claim {
            id: "AC-12.python",
            text: "An independent reader in Python agrees with the vectors.",
            method: "The vectors, whole stores and recovery among them, and damage of the run's seed with \
                 the engine's answers, through a reader written from docs/format.md alone.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
        Claim {
            id: "AC-12.javascript",
            text: "An independent reader in JavaScript agrees with the vectors.",
            method: "The vectors, whole stores and recovery among them, and damage of the run's seed with \
                 the engine's answers, through a reader written from docs/format.md alone.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
        Claim {
            id: "AC-12.c",
            text: "An independent reader in C agrees with the vectors.",
            method: "The vectors of CBOR, checksums and single records, and damage of the run's seed with \
                 the engine's answers, through a reader written from docs/format.md alone.",
            needs: &[Need::EntiDb],
            status: Exists,
        },
    ],
};
