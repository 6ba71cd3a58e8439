//! The second reader of logs, and plans as bytes, held against what they are to be.

use proofhouse_fuzz_bodies::{directory, log, plan};
use proofhouse_golden::{Material, embedded, families};
use proofhouse_model::{GenerateProfile, generate};

#[test]
fn the_second_reader_of_logs_agrees_with_every_vector() {
    let vectors = embedded().unwrap();
    let logs = &vectors.families[families::WAL_LOG];
    assert!(logs.len() > 200);
    for vector in logs {
        let Material::Bytes(bytes) = &vector.material else { panic!("{}", vector.id) };
        let number = |field: &str| vector.given[field].as_str().unwrap().parse::<u64>().unwrap();
        let known = vector.given["collections"].as_array().unwrap().iter();
        let known: Vec<u32> = known.map(|id| id.as_str().unwrap().parse().unwrap()).collect();
        let generation = u32::try_from(number("generation")).unwrap();
        let read = log::read(bytes, generation, number("cut"), &known);
        assert_eq!(read.is_ok(), vector.expect.values().all(Result::is_ok), "{}", vector.id);
        let Some(value) = &vector.value else { continue };
        let (read, sequence) = (read.unwrap(), value["sequence"].as_str().unwrap());
        assert_eq!(read.last(number("cut")).to_string(), sequence, "{}", vector.id);
        let due = value["collections"].as_array().unwrap().iter();
        let due: usize = due.map(|it| it["entities"].as_array().unwrap().len()).sum();
        assert_eq!(read.entities(read.commits.len()).len(), due, "{}", vector.id);
    }
}

#[test]
fn a_plan_survives_as_bytes() {
    for seed in 0..50 {
        let plan = generate(seed, &GenerateProfile::differential());
        let written = plan::write(&plan);
        let read = plan::read(&written, plan.ops.len());
        assert_eq!(plan::write(&read), written, "seed {seed}");
        assert_eq!(read.ops.len(), plan.ops.len(), "seed {seed}");
        let kind = std::mem::discriminant;
        let same = read.ops.iter().zip(&plan.ops).all(|(one, other)| kind(one) == kind(other));
        assert!(same, "seed {seed}");
    }
}

#[test]
fn a_directory_survives_as_bytes() {
    let vectors = embedded().unwrap();
    for vector in &vectors.families[families::STORE] {
        let Material::Files(files) = &vector.material else { panic!("{}", vector.id) };
        assert_eq!(directory::unpack(&directory::pack(0, files)[1..]), *files, "{}", vector.id);
    }
}
