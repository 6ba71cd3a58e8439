use super::Log;
use crate::trace::{Mark, MicroOp};
use crate::tree::Ino;

fn op() -> MicroOp {
    MicroOp::SyncDir { dir: Ino::ROOT }
}

#[test]
fn marks_stand_after_the_calls_that_have_returned() {
    let log = Log::default();
    assert_eq!(log.append(vec![op()]), 0..1);
    log.mark(Mark::Issue(1));
    assert_eq!(log.append(vec![op(), op()]), 2..4);
    assert_eq!(log.take(), [op(), MicroOp::Issue { event: 1 }, op(), op()]);
}

#[test]
fn a_mark_made_while_a_reply_is_written_comes_after_the_replys_own() {
    let log = Log::default();
    log.reply_begins();
    log.mark(Mark::Issue(2));
    log.reply_ends(vec![Mark::Ack(1)]);
    assert_eq!(log.take(), [MicroOp::Ack { event: 1 }, MicroOp::Issue { event: 2 }]);
}

#[test]
fn a_mark_made_while_a_reply_is_written_comes_before_the_next_operation() {
    let log = Log::default();
    log.reply_begins();
    log.mark(Mark::Issue(2));
    assert_eq!(log.append(vec![op()]), 1..2);
    log.reply_ends(vec![Mark::Ack(1)]);
    assert_eq!(log.take(), [MicroOp::Issue { event: 2 }, op(), MicroOp::Ack { event: 1 }]);
}

#[test]
fn marks_that_wait_for_a_reply_that_never_ends_are_kept() {
    let log = Log::default();
    log.reply_begins();
    log.mark(Mark::Issue(2));
    assert_eq!(log.take(), [MicroOp::Issue { event: 2 }]);
}
