use super::{Call, STOPPED, name};

#[test]
fn every_stopped_call_is_understood_and_named_once() {
    for (index, (number, called, _)) in STOPPED.iter().enumerate() {
        assert!(Call::decode(*number, [0; 6]).is_some(), "{called}");
        assert_eq!(name(*number), Some(*called));
        assert!(STOPPED[..index].iter().all(|(other, ..)| other != number), "{called} twice");
    }
}
