use nix::libc::user_regs_struct;

use super::{Call, STOPPED, name};

#[test]
fn every_stopped_call_is_understood_and_named_once() {
    for (index, (number, called, _)) in STOPPED.iter().enumerate() {
        let orig_rax = u64::from_ne_bytes(number.to_ne_bytes());
        // SAFETY: the registers are plain integers, for which zero is a value.
        let zero: user_regs_struct = unsafe { std::mem::zeroed() };
        let regs = user_regs_struct { orig_rax, ..zero };
        assert!(Call::decode(&regs).is_some(), "{called}");
        assert_eq!(name(*number), Some(*called));
        assert!(STOPPED[..index].iter().all(|(other, ..)| other != number), "{called} twice");
    }
}
