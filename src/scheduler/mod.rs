//! Which job is due when.
//!
//! Cron says *when*, the run book says *what has been done*, the clock says *what time it is*: [`due_slot`] decides from
//! these three alone, so it can be asked again at any time and gives the same answer. The timer only wakes somebody to
//! ask. May be relied on: a slot is enqueued once, however often the daemon starts, whatever the clock does; one run at a
//! time; a run that is queued when the daemon stops is still queued when it starts. Never runs a job by itself, and
//! never ends one in the middle.

mod cron;
mod heartbeat;
mod queue;
mod slots;
mod timetable;

pub use cron::{Cron, CronError};
pub use heartbeat::{Beat, Heartbeat, TimerError};
pub use queue::{Performer, RunBook, Scheduler, SchedulerError, StopSignal};
pub use slots::{ON_TIME_MAX_MINUTES, Slot, due_slot, next_slot};
pub use timetable::Timetable;
