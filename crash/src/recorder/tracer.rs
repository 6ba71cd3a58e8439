//! The tracer's thread: waits for stops, lets recorded calls run one at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use nix::libc;
use nix::sys::signal::{SIGKILL, kill};
use nix::unistd::Pid;

use super::call::{self, Call};
use super::control::{Cause, Control};
use super::core::Core;
use super::descriptors::Descriptors;
use super::enter::{Enter, Entry, Role};
use super::leave::Leave;
use super::log::Log;
use super::report::{CallInfo, NotMeasured, RecordEnd, Why};
use super::slab::Slab;
use super::stop::{Ended, Event, LastOnes, called, deny, made, restart, result, wait};
use super::tracee::{FileId, Tracee};
use super::world::World;
use super::{KillAt, OnStdout, When};

/// A call that has been entered.
#[derive(Debug)]
struct Underway {
    name: &'static str,
    call: Call,
    role: Role,
    exclusive: bool,
    /// Where it stands among the recorded calls.
    index: Option<usize>,
}

/// A traced thread.
#[derive(Debug)]
struct Thread {
    /// Its process.
    group: i32,
    /// Its number in the recording.
    number: usize,
    underway: Option<Underway>,
}

/// Everything the tracer's thread knows.
pub(super) struct Tracer {
    pub(super) world: World,
    pub(super) log: Arc<Log>,
    pub(super) control: Arc<Control>,
    pub(super) kill: Option<KillAt>,
    /// The pipe that is the program's standard output.
    pub(super) reply: FileId,
    pub(super) mapped: Vec<String>,
    pub(super) on_stdout: OnStdout,
    pub(super) seen: Seen,
    threads: BTreeMap<i32, Thread>,
    /// How many threads were ever seen.
    numbers: usize,
    /// The thread inside an exclusive call.
    busy: Option<i32>,
    /// Threads held at the entry of a call until no other is inside one, in order.
    held: VecDeque<i32>,
    /// Whether a watched file was ever mapped shared.
    shared_mappings: bool,
    descriptors: Descriptors,
    slab: Slab,
    core: Core,
}

/// What was seen besides operations.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: Vec<CallInfo>,
    pub(super) not_measured: BTreeSet<NotMeasured>,
    pub(super) changes_outside: BTreeMap<&'static str, u64>,
    pub(super) left_behind: u64,
}

impl Seen {
    /// A call of this name changed what is not ours.
    fn outside(&mut self, call: &'static str) {
        *self.changes_outside.entry(call).or_default() += 1;
    }
}

impl Thread {
    fn is_in(&self, role: &Role) -> bool {
        let role = std::mem::discriminant(role);
        self.underway.as_ref().is_some_and(|call| std::mem::discriminant(&call.role) == role)
    }
}

impl Tracer {
    /// A tracer of nothing yet.
    pub(super) fn new(world: World, reply: FileId, options: super::RecordOptions) -> Self {
        Self {
            world,
            log: Arc::default(),
            control: Arc::default(),
            kill: options.kill,
            reply,
            mapped: options.mapped,
            on_stdout: options.on_stdout,
            seen: Seen::default(),
            threads: BTreeMap::new(),
            numbers: 0,
            busy: None,
            held: VecDeque::new(),
            shared_mappings: false,
            descriptors: Descriptors::default(),
            slab: Slab::default(),
            core: Core::new(),
        }
    }

    /// Follows a program from its fork to the end of the last of its processes. `started` is
    /// called once it has become the program.
    ///
    /// # Errors
    /// What the system says of tracing. `Ok(Err(code))` if it never became the program.
    pub(super) fn run(
        &mut self,
        root: Pid,
        mut started: impl FnMut(),
    ) -> io::Result<Result<RecordEnd, i32>> {
        let _last_ones = LastOnes(Arc::clone(&self.control));
        let root = root.as_raw();
        self.meet(root)?;
        let mut running = false;
        let mut end = None;
        while let Some((tid, event)) = wait()? {
            match event {
                Event::Ended(ended) => {
                    self.forget(tid, ended, end.is_some());
                    if tid == root {
                        end = Some(ended);
                        self.control.end();
                        self.kill_all();
                    }
                }
                Event::Exec => {
                    self.exec(tid);
                    if !std::mem::replace(&mut running, true) {
                        started();
                    }
                    restart(libc::PTRACE_CONT, tid, 0)?;
                }
                event => self.stopped(tid, event)?,
            }
            if self.control.cause().is_some() || end.is_some() {
                self.kill_all();
            }
        }
        Ok(match end {
            Some(Ended::Code(code)) if !running => Err(code),
            Some(ended) => Ok(self.judge(ended)),
            None => Err(libc::ECHILD),
        })
    }

    fn judge(&mut self, ended: Ended) -> RecordEnd {
        match (ended, self.control.cause()) {
            (Ended::Code(code), _) => RecordEnd::Exited(code),
            (Ended::Signal(libc::SIGKILL), Some(Cause::Wanted)) => RecordEnd::Killed,
            (Ended::Signal(libc::SIGKILL), Some(Cause::Hung)) => RecordEnd::Hung,
            (Ended::Signal(signal), _) => RecordEnd::Signaled(signal),
        }
    }

    /// Takes note of a thread, whether its maker's stop or its own comes first.
    fn meet(&mut self, tid: i32) -> io::Result<()> {
        if self.threads.contains_key(&tid) {
            return Ok(());
        }
        let group = match Tracee(tid).group() {
            Ok(group) => group,
            // Killed already; its end will be reported.
            Err(_) => tid,
        };
        if group == tid {
            match self.control.add(tid) {
                Err(error) if error.raw_os_error() != Some(libc::ESRCH) => return Err(error),
                _ => {}
            }
        }
        self.threads.insert(tid, Thread { group, number: self.numbers, underway: None });
        self.numbers += 1;
        self.settle();
        Ok(())
    }

    /// A single thread shares the tracer's core, unless it is asking where it may run; several may
    /// run everywhere.
    fn settle(&mut self) {
        let mut threads = self.threads.iter();
        match (threads.next(), threads.next()) {
            (Some((_, thread)), None) if thread.is_in(&Role::Cores) => {}
            (Some((tid, _)), None) => self.core.share(*tid),
            _ => self.core.part(self.threads.keys().copied()),
        }
    }

    fn forget(&mut self, tid: i32, ended: Ended, after_root: bool) {
        let Some(thread) = self.threads.remove(&tid) else { return };
        self.settle();
        if thread.group == tid {
            self.control.remove(tid);
            let outlived = after_root && self.control.cause().is_none();
            let killed = matches!(ended, Ended::Signal(libc::SIGKILL));
            self.seen.left_behind += u64::from(outlived && killed);
        }
        if matches!(ended, Ended::Signal(libc::SIGSYS)) {
            self.refuse("syscall", Why::ForeignArchitecture);
        }
        self.abandon(tid, thread.underway);
    }

    /// A thread is gone: with it whatever it was inside of.
    fn abandon(&mut self, tid: i32, underway: Option<Underway>) {
        self.held.retain(|held| *held != tid);
        self.descriptors.forget(Tracee(tid));
        let Some(underway) = underway else { return };
        match underway.role {
            Role::Reply => self.log.reply_ends(Vec::new()),
            // Held calls were not entered; they have no index yet.
            _ if underway.index.is_some() && self.control.cause().is_none() => {
                self.refuse(underway.name, Why::Interrupted);
            }
            _ => {}
        }
        if self.busy == Some(tid) {
            self.busy = None;
        }
    }

    /// After an `exec` there is one thread, with the number of its process; the others are gone.
    fn exec(&mut self, group: i32) {
        let (gone, others) = std::mem::take(&mut self.threads)
            .into_iter()
            .partition(|(_, thread): &(i32, Thread)| thread.group == group);
        self.threads = others;
        for (tid, thread) in gone {
            let number = thread.number;
            self.abandon(tid, thread.underway);
            if tid == group {
                self.threads.insert(tid, Thread { group, number, underway: None });
            }
        }
        self.settle();
    }

    fn kill_all(&self) {
        for tid in self.threads.keys() {
            // Safe from reuse of numbers: we have not reaped it. Fails if it is dead.
            let _ = kill(Pid::from_raw(*tid), SIGKILL);
        }
    }

    fn stopped(&mut self, tid: i32, event: Event) -> io::Result<()> {
        self.meet(tid)?;
        match event {
            Event::Entry => self.entry(tid)?,
            Event::Exit => self.exit(tid)?,
            Event::Group => restart(libc::PTRACE_LISTEN, tid, 0)?,
            Event::Signal(signal) => restart(self.onward(tid), tid, signal)?,
            Event::Made => {
                // The new one has the cores of its maker. It is let go of before its maker goes on:
                // what that says of its cores afterwards holds.
                self.core.part(self.threads.keys().copied().chain(made(tid)?));
                restart(self.onward(tid), tid, 0)?;
            }
            Event::Settled | Event::Exec | Event::Ended(_) => {
                restart(self.onward(tid), tid, 0)?;
            }
        }
        while self.busy.is_none()
            && let Some(next) = self.held.pop_front()
        {
            self.entry(next)?;
        }
        Ok(())
    }

    /// How a thread goes on: to the exit of the call it is in, or at full speed.
    fn onward(&self, tid: i32) -> libc::c_uint {
        let inside = self.threads.get(&tid).is_some_and(|thread| thread.underway.is_some());
        if inside { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT }
    }

    fn entry(&mut self, tid: i32) -> io::Result<()> {
        let Some((number, args)) = called(tid)? else { return Ok(()) };
        let (Some(name), Some(call)) = (call::name(number), Call::decode(number, args)) else {
            // A stop of the program's own filter, without a tracer that knew what to do.
            return restart(libc::PTRACE_CONT, tid, 0);
        };
        if call == Call::OwnWay {
            self.core.let_go(self.threads.keys().copied());
        }
        let mut enter = Enter {
            world: &mut self.world,
            descriptors: &mut self.descriptors,
            tracee: Tracee(tid),
            reply: self.reply,
            shared_mappings: self.shared_mappings,
        };
        match enter.look(&call) {
            Entry::Pass => restart(libc::PTRACE_CONT, tid, 0),
            Entry::Missing => {
                deny(tid)?;
                restart(libc::PTRACE_CONT, tid, 0)
            }
            Entry::Outside => {
                self.seen.outside(name);
                restart(libc::PTRACE_CONT, tid, 0)
            }
            Entry::Follow(role) => self.follow(tid, name, call, role),
        }
    }

    fn follow(&mut self, tid: i32, name: &'static str, call: Call, role: Role) -> io::Result<()> {
        let exclusive = role.exclusive(&call);
        if exclusive && self.busy.is_some() {
            self.held.push_back(tid);
            return Ok(());
        }
        let index = role.counts().then_some(self.seen.calls.len());
        if let Some(index) = index {
            if self.kill == Some(KillAt { call: index as u64, when: When::Entry }) {
                self.control.kill(Cause::Wanted);
                return Ok(());
            }
            let thread = self.threads.get(&tid).map_or(0, |thread| thread.number);
            let path = path_of(&mut self.world, &role);
            self.seen.calls.push(CallInfo { name, thread, path, result: None, ops: 0..0 });
        }
        if exclusive {
            self.busy = Some(tid);
        }
        match role {
            Role::Reply => self.log.reply_begins(),
            Role::Memory => self.shared_mappings = true,
            Role::Cores => self.core.part(self.threads.keys().copied()),
            _ => {}
        }
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.underway = Some(Underway { name, call, role, exclusive, index });
        }
        restart(libc::PTRACE_SYSCALL, tid, 0)
    }

    fn exit(&mut self, tid: i32) -> io::Result<()> {
        let underway = self.threads.get_mut(&tid).and_then(|thread| thread.underway.take());
        let Some(underway) = underway else { return restart(libc::PTRACE_CONT, tid, 0) };
        let Some(result) = result(tid)? else {
            // Killed at the exit: it counts as inside until its end is reported.
            if let Some(thread) = self.threads.get_mut(&tid) {
                thread.underway = Some(underway);
            }
            return Ok(());
        };
        if underway.exclusive {
            self.busy = None;
        }
        match underway.role {
            Role::Reply => self.reply(tid, &underway.call, result),
            Role::Cores => self.settle(),
            _ => self.effects(tid, &underway, result),
        }
        let at_exit = |index| Some(KillAt { call: index as u64, when: When::Exit });
        if underway.index.is_some_and(|index| self.kill == at_exit(index)) {
            self.control.kill(Cause::Wanted);
            return Ok(());
        }
        restart(libc::PTRACE_CONT, tid, 0)
    }

    fn effects(&mut self, tid: i32, underway: &Underway, result: i64) {
        let mut outside = false;
        let mut leave = Leave {
            world: &mut self.world,
            descriptors: &mut self.descriptors,
            slab: &mut self.slab,
            tracee: Tracee(tid),
            result,
            mapped: &self.mapped,
            outside: &mut outside,
        };
        let effects = leave.effects(&underway.call, &underway.role);
        if outside {
            self.seen.outside(underway.name);
        }
        let ops = match effects {
            // Killed while we looked: it counts as one that was never seen to return.
            Err(Why::Unseen(_)) if self.control.cause().is_some() => return,
            Err(why) => {
                self.refuse(underway.name, why);
                Vec::new()
            }
            Ok(ops) => ops,
        };
        for op in &ops {
            self.world.apply(op);
        }
        let ops = self.log.append(ops);
        if let Some(info) = underway.index.and_then(|index| self.seen.calls.get_mut(index)) {
            info.result = Some(result);
            info.ops = ops;
        }
    }

    /// The program wrote to its standard output: what that acknowledges is for the caller to say.
    fn reply(&mut self, tid: i32, call: &Call, result: i64) {
        let count = usize::try_from(result).unwrap_or_default();
        let marks = match *call {
            Call::Write { source, .. } if count > 0 => {
                match Tracee(tid).bytes(source, count, &mut self.slab) {
                    Ok(bytes) => (self.on_stdout)(&bytes),
                    // Killed while we looked: nobody knows whether the reply will be read.
                    Err(_) if self.control.cause().is_some() => Vec::new(),
                    Err(error) => {
                        self.refuse("write", Why::from(error));
                        Vec::new()
                    }
                }
            }
            _ => Vec::new(),
        };
        self.log.reply_ends(marks);
    }

    fn refuse(&mut self, call: &'static str, why: Why) {
        self.seen.not_measured.insert(NotMeasured { call, why });
    }
}

/// The path a call is about.
fn path_of(world: &mut World, role: &Role) -> Option<Arc<str>> {
    match role {
        Role::File(ino) | Role::Write(ino, _) => world.path(*ino),
        Role::Submission { submission, .. } => world.path(submission.asked.first()?.ino),
        Role::Name(spot, _)
        | Role::Open { at: super::enter::Opened::Name(spot, _), .. }
        | Role::Move { to: spot, .. }
        | Role::Link { to: spot, .. } => Some(world.path_at(spot)),
        _ => None,
    }
}
