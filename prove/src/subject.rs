//! What can be put to the proof: engines in this process by name, and commands.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use entidb_engine::storage::MemStorage;
use proofhouse_model::{
    About, Divergence, ErrorClass, Got, Op, Outcome, Plan, Refusal, RunOptions, Subject, run,
};
use proofhouse_subjects::command::Fault;
use proofhouse_subjects::tiny::Tiny;
use proofhouse_subjects::{CommandLine, CommandSubject, DriverError, Placed, Reference, flawed};

use crate::cli::Problem;
use crate::driving::Driving;
use crate::finding::Kind;
use crate::measure::{self, Room};
use crate::profile::Scale;
use crate::recorded::drive::Recipe;
use crate::scratch::Scratch;
use crate::windowed;

/// An engine under test, wherever it runs.
pub trait Engine: Send + Sync + Sized + 'static {
    /// Who it is.
    fn about(&self) -> &About;

    /// The measurements that there are for such an engine.
    fn rooms() -> &'static [Room<Self>];

    /// How many plans to compare with the oracle.
    fn differential_plans(scale: Scale) -> u64;

    /// The first divergence of a plan on a fresh store.
    fn diverges(&self, plan: &Plan) -> Option<Diverged>;

    /// How to get along with it, if it is a command.
    fn driving(&self) -> Driving {
        Driving::default()
    }

    /// How to record this engine, which `name` selects, as a process of its own.
    fn recipe(&self, name: &str, program: &Path) -> Recipe;
}

/// How a plan diverges, and why if the engine cannot be talked to.
#[derive(Debug, Clone)]
pub struct Diverged {
    /// Where, and what was due.
    pub at: Box<Divergence>,
    /// What broke off the conversation.
    pub fault: Option<Broken>,
}

/// A conversation that was broken off.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The kind of wrong that it is.
    pub kind: Kind,
    /// What the driver did, in words.
    pub words: String,
    /// Whether the watchdog's time goes by until it shows.
    pub is_slow: bool,
}

impl From<Box<Divergence>> for Diverged {
    fn from(at: Box<Divergence>) -> Self {
        Self { at, fault: None }
    }
}

impl Broken {
    /// By this fault.
    pub fn off(error: &DriverError) -> Self {
        let is_slow = error.fault.is_silence();
        Self { kind: fault_kind(error), words: error.to_string(), is_slow }
    }
}

impl Engine for Placed {
    fn about(&self) -> &About {
        self.about()
    }

    fn rooms() -> &'static [Room] {
        measure::ROOMS
    }

    fn differential_plans(scale: Scale) -> u64 {
        scale.differential_plans
    }

    fn diverges(&self, plan: &Plan) -> Option<Diverged> {
        let options = RunOptions { history: false, close: true };
        run(self, &MemStorage::new(), plan, options, &mut ()).err().map(Diverged::from)
    }

    fn recipe(&self, name: &str, program: &Path) -> Recipe {
        let line = CommandLine::new(program, ["driver", name]);
        Recipe { line, driving: Driving::default() }
    }
}

/// An engine behind the line protocol.
pub struct Commanded {
    subject: CommandSubject,
    recipe: Recipe,
    scratch: PathBuf,
    /// Where it did not answer: it is not waited for again.
    silent: Mutex<Option<Diverged>>,
}

impl Commanded {
    /// Starts a command, to ask who it is. Stores whose files need not be durable go below
    /// `scratch`.
    ///
    /// # Errors
    /// [`DriverError`] if it does not start or does not say hello.
    pub fn start(command: &str, driving: &Driving, scratch: &Path) -> Result<Self, DriverError> {
        let line = CommandLine::shell(command);
        let subject = CommandSubject::new(line.clone(), driving.watchdog)?;
        let recipe = Recipe { line, driving: driving.clone() };
        let (scratch, silent) = (scratch.to_path_buf(), Mutex::default());
        Ok(Self { subject, recipe, scratch, silent })
    }

    fn carries_out(&self, plan: &Plan) -> Option<Diverged> {
        match Scratch::below(&self.scratch) {
            Ok(place) => windowed::diverges(&self.subject, place.path(), plan),
            Err(error) => Some(Box::new(nowhere(&error)).into()),
        }
    }
}

impl Engine for Commanded {
    fn about(&self) -> &About {
        Subject::<Path>::about(&self.subject)
    }

    fn rooms() -> &'static [Room<Self>] {
        measure::COMMAND_ROOMS
    }

    fn differential_plans(scale: Scale) -> u64 {
        scale.command_plans
    }

    fn diverges(&self, plan: &Plan) -> Option<Diverged> {
        let silent = || self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = silent().clone() {
            return Some(before);
        }
        let diverged = self.carries_out(plan)?;
        if diverged.fault.as_ref().is_some_and(|fault| fault.is_slow) {
            silent().get_or_insert(diverged.clone());
        }
        Some(diverged)
    }

    fn driving(&self) -> Driving {
        self.recipe.driving.clone()
    }

    fn recipe(&self, _name: &str, _program: &Path) -> Recipe {
        self.recipe.clone()
    }
}

/// A plan that nothing can be said of is no plan that passed.
fn nowhere(error: &std::io::Error) -> Divergence {
    let message = format!("no directory for a store: {error}");
    let got = Got::Refused(Refusal { class: ErrorClass::Io, message });
    Divergence { index: 0, op: Op::Reopen, due: Outcome::Done, got }
}

/// What kind of wrong a driver's fault is.
pub fn fault_kind(error: &DriverError) -> Kind {
    match error.fault {
        Fault::Hung { .. } => Kind::Hang,
        _ => Kind::Divergence,
    }
}

/// Where files go that need not be durable: memory, where the system offers it, else `dir`.
pub fn scratch_place(dir: &Path) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let usable = Scratch::below(memory).is_ok();
    if usable { memory.to_path_buf() } else { dir.to_path_buf() }
}

/// An engine of either kind.
pub enum Chosen {
    /// In this process.
    Placed(Placed),
    /// Behind the line protocol.
    Commanded(Box<Commanded>),
}

/// The engine that a command line or a case means: a name that is built in, else a command.
///
/// # Errors
/// [`Problem`] if it is neither, or if the command does not start or say hello.
pub fn choose(text: &str, driving: &Driving, dir: &Path) -> Result<Chosen, Problem> {
    if let Some(placed) = named(text) {
        return Ok(Chosen::Placed(placed));
    }
    let is_command = text.contains([' ', '/']) && !text.starts_with("flawed:");
    if !is_command {
        return Err(Problem::Subject(text.to_owned()));
    }
    let commanded = Commanded::start(text, driving, &scratch_place(dir));
    let commanded = commanded.map_err(|error| match error.fault {
        Fault::Hung { .. } => Problem::Hung(error.to_string()),
        _ => Problem::Driver(error.to_string()),
    })?;
    Ok(Chosen::Commanded(Box::new(commanded)))
}

/// The subject with this name on the command line: `reference`, `tiny` or `flawed:NAME`.
pub fn named(name: &str) -> Option<Placed> {
    match name.split_once(':') {
        None if name == "reference" => Some(Placed::new(Reference::new())),
        None if name == "tiny" => Some(Placed::new(Tiny::sound())),
        Some(("flawed", flaw)) => {
            let found = flawed::all().into_iter().find(|flawed| flawed.name == flaw)?;
            Some(found.subject)
        }
        _ => None,
    }
}

/// Every name and a sentence on it.
pub fn names() -> Vec<(String, &'static str)> {
    let mut names = vec![
        ("reference".to_owned(), "the reference engine, EntiDB"),
        ("tiny".to_owned(), "a small sound store, the base of the flawed ones"),
    ];
    names.extend(flawed::all().iter().map(|one| (format!("flawed:{}", one.name), one.flaw)));
    names
}
