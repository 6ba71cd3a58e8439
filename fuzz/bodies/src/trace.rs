//! `trace_file`: recorded traces, as files.

use proofhouse_crash::{
    Profile, SimDisk, Tiers, Trace, TraceFileError, enumerate, read_trace, write_trace,
};

use crate::{Broken, Checked, Under, flagged, reseal};

/// First byte: every record gets the checksum it needs.
pub const RESEAL: u8 = 1;

/// Crash states made of an accepted trace.
const STATES: usize = 16;

/// Operations of a trace that are still enumerated, and bytes that they may touch: a file of an
/// input can claim an exabyte, and one state of that is as good as another.
const OPS: usize = 64;

/// `trace_file`: a byte of flags, then a trace file. Invariants:
/// - what is accepted is framed by right checksums from its first byte to its last;
/// - written again it says the same, and then always in the same bytes;
/// - a refusal's place is within the file;
/// - crash states of what is accepted can be made, and be the disk of a next life.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    if let Some(trace) = accepted(input, under)? {
        crash(&trace);
    }
    Ok(())
}

/// What most inputs get: the file alone, and no crash states of it.
///
/// # Errors
/// What is broken.
pub fn glance(input: &[u8], under: Under) -> Checked {
    accepted(input, under).map(drop)
}

/// The trace that a file is, read and written again; `None` where it is refused, as it must be.
fn accepted(input: &[u8], under: Under) -> Result<Option<Trace>, Broken> {
    let (flags, bytes) = flagged(input);
    let mut file = bytes.to_vec();
    if flags & RESEAL != 0 {
        reseal::trace(&mut file);
    }
    let framed = is_framed(&file);
    if under == Under::Planted {
        // A reader that does not look at the checksums.
        reseal::trace(&mut file);
    }
    let trace = match read_trace(&file[..]) {
        Ok(trace) => trace,
        Err(TraceFileError::Broken { position, reason }) => {
            require!(position <= file.len() as u64, "{reason} at {position}, past the end");
            return Ok(None);
        }
        Err(TraceFileError::Io(error)) => return Err(Broken(format!("from memory: {error}"))),
        Err(_) => return Ok(None),
    };
    require!(framed, "accepted with wrong checksums");
    let written = write(&trace)?;
    let again = read_trace(&written[..]).map_err(|error| Broken(format!("again: {error}")))?;
    require!(is_same(&trace, &again), "written again, it says something else");
    require!(write(&again)? == written, "written again, in other bytes");
    Ok(Some(trace))
}

fn write(trace: &Trace) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    write_trace(trace, &mut bytes).map_err(|error| Broken(format!("not written: {error}")))?;
    Ok(bytes)
}

fn is_same(one: &Trace, other: &Trace) -> bool {
    one.carried == other.carried
        && one.ops == other.ops
        && (one.acked_before, one.issued_before) == (other.acked_before, other.issued_before)
        && one.base.digest() == other.base.digest()
}

/// Whether records with right checksums fill the file, the last of them its end.
fn is_framed(file: &[u8]) -> bool {
    let records = reseal::trace_records(file);
    let sound = |(start, end): &(usize, usize)| {
        let (len, sum) = (&file[*start..start + 4], &file[start + 4..start + 8]);
        reseal::trace_sum(len, &file[start + 8..*end]).to_le_bytes() == sum
    };
    file.starts_with(b"PHTRACE\n\x01\0")
        && records.iter().all(sound)
        && records
            .last()
            .is_some_and(|(start, end)| *end == file.len() && file.get(start + 8) == Some(&7))
}

fn crash(trace: &Trace) {
    if trace.carried.len() + trace.ops.len() > OPS {
        return;
    }
    for medium in [Profile::Posix, Profile::Ext4] {
        for state in enumerate(trace, medium, Tiers::ALL).take(STATES) {
            let _ = (state.key(), trace.explain(&state.choice).to_string());
            let _ = SimDisk::from_state(&state).list(".");
        }
    }
}
