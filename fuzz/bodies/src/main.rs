//! Makes what fuzzing begins with, and cases of what it found.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use proofhouse_fuzz_bodies::damage::{self, Tried};
use proofhouse_fuzz_bodies::{TARGETS, Under, ops, seeds, target};

const USAGE: &str = "usage: fuzz-bodies seeds DIR          inputs to begin with, DIR/TARGET/*
       fuzz-bodies unnoticed DIR      of these, the ones that do not show the planted fault
       fuzz-bodies dictionaries DIR   what inputs are made of, DIR/TARGET.dict
       fuzz-bodies check TARGET FILE  runs one input, as the target would
       fuzz-bodies try TARGET COUNT SEED   so many damaged inputs, without a fuzzer's guidance
       fuzz-bodies case TARGET FILE   the case file of an input of ops_differential or ops_crash";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["seeds", dir] => write_seeds(Path::new(dir), false),
        ["unnoticed", dir] => write_seeds(Path::new(dir), true),
        ["dictionaries", dir] => write_dictionaries(Path::new(dir)),
        ["check", target, file] => check(target, Path::new(file)),
        ["try", target, count, seed] => attempt(target, count, seed),
        ["case", target, file] => case(target, Path::new(file)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

fn write_seeds(dir: &Path, unnoticed: bool) -> Result<(), String> {
    let all = seeds::all().map_err(|error| error.to_string())?;
    for target in &TARGETS {
        let dir = dir.join(target.name);
        let shows = |seed: &Vec<u8>| (target.body)(seed, Under::Planted).is_err();
        let seeds = all.get(target.name).into_iter().flat_map(|beginning| &beginning.seeds);
        let seeds = seeds.filter(|seed| !unnoticed || !shows(seed));
        let mut count = 0;
        for seed in seeds {
            write(&dir, &format!("seed-{count:04}"), seed)?;
            count += 1;
        }
        println!("{}: {count} seeds", target.name);
    }
    Ok(())
}

fn write_dictionaries(dir: &Path) -> Result<(), String> {
    for (name, beginning) in seeds::all().map_err(|error| error.to_string())? {
        if !beginning.words.is_empty() {
            let text = seeds::dictionary(&beginning.words);
            write(dir, &format!("{name}.dict"), text.as_bytes())?;
        }
    }
    Ok(())
}

fn check(name: &str, file: &Path) -> Result<(), String> {
    let target = target(name).ok_or_else(|| format!("no target {name}\n{USAGE}"))?;
    (target.body)(&read(file)?, Under::Sound).map_err(|broken| broken.to_string())
}

fn attempt(name: &str, count: &str, seed: &str) -> Result<(), String> {
    let target = target(name).ok_or_else(|| format!("no target {name}\n{USAGE}"))?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text}: {error}\n{USAGE}"));
    let (count, seed): (u64, u64) = (number(count)?, number(seed)?);
    let all = seeds::all().map_err(|error| error.to_string())?;
    let beginning = all.get(name).ok_or("no seeds")?;
    match damage::attempt(target, beginning, Under::Sound, count, seed) {
        Tried::Held => {
            println!("{name}: {count} inputs held");
            Ok(())
        }
        Tried::Broken(input, what) => {
            let file = format!("{name}-{seed}.input");
            write(Path::new("."), &file, &input)?;
            Err(format!("{what}\nthe input is in {file}"))
        }
    }
}

fn case(name: &str, file: &Path) -> Result<(), String> {
    let input = read(file)?;
    let case = match name {
        "ops_differential" => ops::differential_case(&input, Under::Sound),
        "ops_crash" => ops::crash_case(&input, Under::Sound),
        _ => return Err(format!("only plans become cases; check in the input itself\n{USAGE}")),
    };
    let case = case.map_err(|broken| broken.to_string())?;
    let case = case.ok_or("nothing is broken by this input: there is no case")?;
    print!("{}", case.to_json().map_err(|error| error.to_string())?);
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| told(file, &error))
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|error| told(dir, &error))?;
    let file = dir.join(name);
    fs::write(&file, bytes).map_err(|error| told(&file, &error))
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
