//! What outlives a checkpoint, a compaction, a close, a kill.

use proofhouse_model::{Collection, Op};

use super::acts::{Acts, C, D, Rule, delete, get, put, scan, settings};

pub(super) fn rules() -> Vec<Rule> {
    vec![checkpoint(), compaction(), scrub(), reopen(), kill()]
}

/// Commits of each kind: puts, a replacement, a deletion, a transaction, a content of two sectors.
fn history() -> Vec<Op> {
    vec![
        put(C, 0, 1, 40),
        put(C, 1, 2, 600),
        put(C, 0, 3, 41),
        delete(C, 1),
        Op::Begin,
        put(C, 2, 4, 50),
        put(D, 2, 5, 50),
        Op::Commit,
        put(D, 3, 6, 700),
    ]
}

fn reads() -> Vec<Op> {
    vec![get(C, 0), get(C, 1), scan(C), scan(D)]
}

fn checkpoint() -> Rule {
    let mut rule = Rule::new("checkpoint");
    let once = [history(), vec![Op::Checkpoint], reads()].concat();
    rule.ops("once", "it changes nothing that is read", &once);
    rule.ops("empty", "there is nothing to do", &[Op::Checkpoint, Op::Checkpoint, scan(C)]);
    let more = [history(), vec![Op::Checkpoint, Op::Checkpoint], history(), reads()].concat();
    rule.ops("goes-on", "commits go on after it", &more);
    let hidden = [history(), vec![Op::Checkpoint, delete(C, 0), put(D, 2, 9, 20), Op::Checkpoint]];
    rule.ops("hides", "later versions hide sealed ones", &[hidden.concat(), reads()].concat());
    rule
}

fn compaction() -> Rule {
    let mut rule = Rule::new("compaction");
    rule.ops("empty", "there is nothing to do", &[Op::Compact, scan(C)]);
    let unsealed = [history(), vec![Op::Compact], reads()].concat();
    rule.ops("unsealed", "what is not sealed yet stays, too", &unsealed);
    let rounds = (0..4).flat_map(|_| [history(), vec![Op::Checkpoint]].concat());
    let rounds: Vec<_> = rounds.chain([delete(C, 0), Op::Checkpoint, Op::Compact]).collect();
    rule.ops("rounds", "one version of each key is enough", &[rounds.clone(), reads()].concat());
    let twice = [rounds.clone(), vec![Op::Compact], history(), reads()].concat();
    rule.ops("twice", "again, and commits go on", &twice);
    let mut acts = Acts::on_two();
    acts.ops(&rounds);
    acts.reopen();
    acts.ops(&reads());
    rule.add("reopen", "the next life reads the same", acts);
    let steps = [vec![Op::CompactStep], history(), vec![Op::CompactStep, Op::Checkpoint], reads()];
    let steps = [rounds.clone(), steps.concat(), vec![Op::CompactStep, Op::Compact], reads()];
    rule.ops("steps", "commits and a checkpoint go on between its steps", &steps.concat());
    let mut acts = Acts::on_two();
    acts.ops(&rounds);
    acts.op(&Op::CompactStep);
    acts.reopen();
    acts.ops(&[reads(), vec![Op::CompactStep, Op::Compact], reads()].concat());
    rule.add("step-and-reopen", "what a close broke off is begun anew", acts);
    rule
}

fn scrub() -> Rule {
    let mut rule = Rule::new("scrub");
    let rounds = (0..3).flat_map(|_| [history(), vec![Op::Checkpoint, Op::Scrub]].concat());
    let rounds: Vec<_> = [Op::Scrub].into_iter().chain(rounds).collect();
    rule.ops("sound", "nothing is wrong, and nothing changes", &[rounds.clone(), reads()].concat());
    let compacted = [rounds, vec![Op::Compact, Op::Scrub], history(), vec![Op::Scrub], reads()];
    rule.ops("compacted", "nor after a compaction", &compacted.concat());
    rule
}

/// What each life is ended by.
type End = fn(&mut Acts);

fn reopen() -> Rule {
    lives("reopen", "a close keeps all", Acts::reopen)
}

fn kill() -> Rule {
    lives("kill", "a kill keeps all that was acknowledged", Acts::kill)
}

fn lives(name: &'static str, meaning: &str, end: End) -> Rule {
    let mut rule = Rule::new(name);
    let mut acts = Acts::open(settings());
    end(&mut acts);
    acts.ops(&[Op::CreateCollection { collection: C }, scan(C)]);
    rule.add("nothing", meaning, acts);
    let mut acts = Acts::open(settings());
    acts.ops(&[0, 1, 2].map(|n| Op::CreateCollection { collection: Collection(n) }));
    end(&mut acts);
    acts.ops(&[
        Op::CreateCollection { collection: C },
        scan(C),
        scan(Collection(2)),
        put(D, 0, 1, 30),
    ]);
    rule.add("collections", meaning, acts);
    let middles: [(&str, Vec<Op>); 6] = [
        ("commits", history()),
        ("checkpoint", [history(), vec![Op::Checkpoint]].concat()),
        ("checkpoint-commits", [history(), vec![Op::Checkpoint], history()].concat()),
        ("compaction", [history(), vec![Op::Checkpoint, Op::Compact]].concat()),
        (
            "compaction-commits",
            [
                history(),
                vec![Op::Checkpoint],
                history(),
                vec![Op::Checkpoint, Op::Compact],
                history(),
            ]
            .concat(),
        ),
        ("long", vec![put(C, 0, 1, 4300)]),
    ];
    for (id, ops) in middles {
        let mut acts = Acts::on_two();
        acts.ops(&ops);
        end(&mut acts);
        acts.read_all();
        acts.ops(&[put(C, 7, 70, 30), delete(D, 3)]);
        end(&mut acts);
        acts.read_all();
        rule.add(id, meaning, acts);
    }
    let mut acts = Acts::on_two();
    for round in 0..5 {
        acts.ops(&[put(C, round, 10 + u32::from(round), 40 + 300 * u32::from(round))]);
        end(&mut acts);
        acts.ops(&[scan(C)]);
    }
    rule.add("again-and-again", meaning, acts);
    rule
}
