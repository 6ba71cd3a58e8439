//! Everything that can be handed to the engine and should not be: one table, each row with the
//! class of the error and its exact message.

mod environment;
mod misuse;
mod stored;

use entidb_engine::{Error, ErrorClass};

/// A kind of bad input: its name, what provokes the error, its class and its message.
type Row = (&'static str, fn() -> Error, ErrorClass, &'static str);

#[test]
fn every_bad_input_has_a_typed_error_that_says_what_to_do() {
    if environment::is_other_process() {
        return environment::hold_the_lock_until_killed();
    }
    let rows = [stored::ROWS, environment::ROWS, misuse::ROWS].concat();
    let mut wrong = Vec::new();
    for (name, provoke, class, message) in rows {
        let error = provoke();
        if (error.class(), error.to_string().as_str()) != (class, message) {
            wrong.push(format!("{name}: {:?}: {error}", error.class()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
