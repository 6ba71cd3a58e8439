//! `case_file`: findings, as files.

use proofhouse::case::{Case, CaseError, FORMAT, Scene, VERSION};
use proofhouse_model::Plan;
use serde_json::Value as Json;

use crate::{Broken, Checked, Under};

/// `case_file`. Invariants:
/// - what is accepted is one JSON object of this format and of a version this program knows;
/// - written again it says the same, and then always in the same bytes;
/// - its plan survives as a plan file, its lives can be asked for their traces, its causes chosen;
/// - damage is told within the file.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let answer = match under {
        Under::Sound => Case::parse(input),
        Under::Planted => versionless(input),
    };
    let case = match answer {
        Ok(case) => case,
        Err(error) => return refused(&error, input),
    };
    let json: Json = serde_json::from_slice(input)
        .map_err(|error| Broken(format!("accepted, but no JSON: {error}")))?;
    require!(json["format"] == FORMAT, "accepted with format {}", json["format"]);
    let version = json["version"].as_u64();
    require!(version.is_some_and(|it| (1..=VERSION).contains(&it)), "accepted: {version:?}");
    let written = write(&case)?;
    let again = Case::parse(written.as_bytes())
        .map_err(|error| Broken(format!("written again, it is refused: {error}")))?;
    require!(write(&again)? == written, "written again, in other bytes");
    require!(again.plan == case.plan, "written again, with another plan");
    let plan = Plan::parse(case.plan.to_string().as_bytes());
    require!(plan.as_ref() == Ok(&case.plan), "its plan reads as {plan:?}");
    if let Scene::Recorded { lives, .. } = &case.scene {
        for life in lives {
            drop(life.trace());
        }
    }
    for number in 0..=case.causes.len() + 1 {
        let chosen = case.clone().of_cause(number);
        let due = number == 1 || (1..=case.causes.len()).contains(&number);
        require!(chosen.is_ok() == due, "cause {number}: {:?}", chosen.err());
    }
    Ok(())
}

/// A refusal names a place in the file, and versions that are newer only.
fn refused(error: &CaseError, input: &[u8]) -> Checked {
    let place = match error {
        CaseError::Newer(version, place) => {
            require!(*version > VERSION, "version {version} is not newer");
            place
        }
        CaseError::Corrupt(place, _)
        | CaseError::Foreign(place)
        | CaseError::UnknownClaim(_, place) => place,
        CaseError::NoCause { .. } => return Err(Broken(format!("nobody asked: {error}"))),
    };
    let lines = input.split(|byte| *byte == b'\n').count();
    require!(place.line <= lines, "{error}, of {lines} lines");
    Ok(())
}

fn write(case: &Case) -> Result<String, Broken> {
    case.to_json().map_err(|error| Broken(format!("not written: {error}")))
}

/// The planted fault: a reader that takes any version for its own.
fn versionless(input: &[u8]) -> Result<Case, CaseError> {
    let answer = Case::parse(input);
    let Err(CaseError::Newer(..)) = answer else { return answer };
    let Ok(mut json) = serde_json::from_slice::<Json>(input) else { return answer };
    json["version"] = VERSION.into();
    Case::parse(json.to_string().as_bytes()).or(answer)
}
