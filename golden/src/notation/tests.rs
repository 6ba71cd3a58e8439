use super::*;

/// `notation` and `value` stand for each other.
#[track_caller]
fn check(value: &Value, notation: &Json) {
    assert_eq!(from_value(value), *notation);
    assert_eq!(to_value(notation).as_ref(), Ok(value));
}

fn float(number: f64) -> Value {
    Value::Float(Float::new(number).unwrap())
}

#[test]
fn values_and_their_notation_stand_for_each_other() {
    check(&Value::Null, &json!(null));
    check(&Value::Bool(true), &json!(true));
    check(&Value::Integer(i64::MIN), &json!({ "int": "-9223372036854775808" }));
    check(&float(-0.0), &json!({ "float": "8000000000000000" }));
    check(&Value::Bytes(vec![0, 255]), &json!({ "bytes": "00ff" }));
    check(&Value::Text("é".to_owned()), &json!({ "text": "é" }));
    check(&Value::Array(vec![Value::Null]), &json!({ "array": [null] }));
    let map = Map::new(vec![(Value::Integer(0), Value::Null)]).unwrap();
    check(&Value::Map(map), &json!({ "map": [[{ "int": "0" }, null]] }));
}

#[test]
fn long_runs_are_written_once() {
    check(&Value::Bytes(vec![7; 32]), &json!({ "bytes": "07", "times": 32 }));
    check(&Value::Text("a".repeat(32)), &json!({ "text": "a", "times": 32 }));
    check(&Value::Array(vec![Value::Null; 32]), &json!({ "array": [null], "times": 32 }));
    check(&Value::Map(Map::new(numbered(32).unwrap()).unwrap()), &json!({ "numbered": 32 }));
    let text = "\u{7ff}".repeat(32);
    check(&Value::Text(text.clone()), &json!({ "text": text }));
}

#[test]
fn deep_nests_are_written_once() {
    for nesting in Nesting::ALL {
        let deep = (0..MAX_DEPTH).try_fold(Value::Bool(true), |inner, _| nesting.wrap(inner));
        check(&deep.unwrap(), &json!({ "nested": [nesting.name(), true], "times": MAX_DEPTH }));
    }
}

#[test]
fn other_notations_are_refused() {
    for notation in [
        json!(1),
        json!("a"),
        json!([]),
        json!({}),
        json!({ "int": 1 }),
        json!({ "int": "1.0" }),
        json!({ "float": "7ff8000000000000" }),
        json!({ "float": "0" }),
        json!({ "bytes": "0" }),
        json!({ "array": [1] }),
        json!({ "map": [[null]] }),
        json!({ "map": [[null, null], [null, null]] }),
        json!({ "text": "a", "times": -1 }),
        json!({ "text": "a", "bytes": "00" }),
        json!({ "int": "1", "times": 2 }),
        json!({ "nested": ["array", null] }),
        json!({ "nested": ["list", null], "times": 2 }),
        json!({ "nested": ["array", null], "times": MAX_DEPTH + 1 }),
    ] {
        assert!(to_value(&notation).is_err(), "{notation}");
    }
}

#[test]
fn diagnostic_notation_is_short() {
    let entries = vec![
        (Value::Text("t\"".to_owned()), float(1.0)),
        (Value::Integer(-1), Value::Bytes(vec![0xab; 40])),
        (Value::Null, Value::Array(vec![Value::Bool(false); 40])),
        (float(f64::NEG_INFINITY), Value::Text("a".repeat(40))),
    ];
    let diagnostic = diagnostic(&Value::Map(Map::new(entries).unwrap()));
    let bytes = "ab".repeat(32);
    let letters = "a".repeat(32);
    let items = "false, ".repeat(32);
    assert_eq!(
        diagnostic,
        format!(
            "{{-1: h'{bytes}...', \"t\\\"\": 1.0, null: [{items}...], -Infinity: \"{letters}\"...}}"
        )
    );
}
