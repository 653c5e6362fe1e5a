//! The daemon's life: the start in its order, what it listens to, the stop.

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::{FutureExt as _, StreamExt as _};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use super::args::RunArgs;
use super::book::{Book, Runner};
use super::check;
use super::health::Watch;
use super::liveness::{Liveness, Pulse};
use super::reload::{self, Boards};
use super::state::{self, Held, StateError};
use super::{logging, output};
use crate::admin::{BindError, House, Listener, Server, identity_named};
use crate::audit::{By, Kind};
use crate::clock::{SharedClock, SystemClock};
use crate::config::{Finding, causes};
use crate::desk::Desk;
use crate::erasure::pass;
use crate::jobs::{self, Workshop};
use crate::scheduler::{Heartbeat, Scheduler, SchedulerError, TimerError};
use crate::store::{Store, StoreError};
use crate::systemd::{Notifier, SocketError, adopted_sockets};

/// Exit code of a second SIGTERM or SIGINT: 128 + 2, as shells have it for an interrupt.
const STOPPED_AT_ONCE: i32 = 130;

/// What is on record for runs in whose middle the daemon ended.
const INTERRUPTED: &str = "the daemon ended in the middle of it; what it had done holds, and is in the trail, but its last counts may be missing here";

/// Where the daemon finds what it needs.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Folder of the settings.
    pub config: PathBuf,
    /// Folder of the state.
    pub state_dir: PathBuf,
    /// The socket, where none is passed.
    pub socket: PathBuf,
    /// Whether the first start may make keys.
    pub may_make_keys: bool,
    /// The time.
    pub clock: SharedClock,
}

/// What the daemon is told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read the settings again.
    Reload,
    /// Finish the batch and stop.
    Stop(&'static str),
}

/// Why the daemon did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings cannot be used.
    #[error("the settings cannot be used")]
    Settings(Vec<Finding>),
    /// The state cannot be used.
    #[error(transparent)]
    State(StateError),
    /// The state could not be written.
    #[error("cannot write the state")]
    Store(#[source] StoreError),
    /// There is no socket to listen on.
    #[error("cannot listen on the socket")]
    Bind(#[source] BindError),
    /// The socket that was passed cannot be used.
    #[error("cannot use the socket that was passed")]
    Adopted(#[source] SocketError),
    /// The same, when it is taken over.
    #[error("cannot use the socket that was passed")]
    Socket(#[source] std::io::Error),
    /// The timer could not be started.
    #[error("cannot keep the schedules")]
    Timer(#[source] TimerError),
    /// Schedules are no longer kept, or runs no longer carried out.
    #[error("cannot go on with the jobs")]
    Jobs(#[source] SchedulerError),
    /// Nobody can be answered any more.
    #[error("cannot go on answering on the socket")]
    Answering(#[source] std::io::Error),
    /// A task has died.
    #[error("a part of the daemon has died")]
    Died(#[source] JoinError),
    /// A task has ended by itself.
    #[error("a part of the daemon has ended by itself")]
    Ended,
}

impl ServeError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Settings(_) => {
                Some("erasured check --config DIR tells the same, and holds the settings against the schema too")
            }
            Self::State(error) => Some(error.hint()),
            Self::Bind(_) => Some(
                "give --socket a path in a folder that this user may write to, and see that no other daemon uses it",
            ),
            Self::Store(error) => error.hint(),
            // Whatever was being done, what is wrong with the state is wrong.
            Self::Jobs(error) => state_hint(error),
            Self::Adopted(_) | Self::Socket(_) | Self::Timer(_) | Self::Answering(_) | Self::Died(_) | Self::Ended => {
                None
            }
        }
    }
}

fn state_hint(error: &dyn std::error::Error) -> Option<&'static str> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(hint) = error.downcast_ref::<StoreError>().and_then(StoreError::hint) {
            return Some(hint);
        }
        cause = error.source();
    }
    None
}

/// `erasured run`.
pub(super) async fn run(arguments: &RunArgs) -> ExitCode {
    logging::begin(arguments.log);
    let setup = Setup {
        config: arguments.config.config.clone(),
        state_dir: arguments.state.state_dir.clone(),
        socket: arguments.socket.clone(),
        may_make_keys: !arguments.no_new_keys,
        clock: Arc::new(SystemClock),
    };
    let orders = match signals() {
        Ok(orders) => orders,
        Err(error) => return output::failed(&format!("cannot listen to signals: {error}"), None),
    };
    let (ready, _) = oneshot::channel();
    match serve(setup, orders, ready).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let ServeError::Settings(findings) = &error {
                findings.iter().for_each(|finding| output::talk(&finding.to_string()));
            }
            tracing::error!(error = %causes(&error), "the daemon ends with a failure");
            output::failed(&causes(&error), error.hint())
        }
    }
}

/// Signals as orders. The first SIGTERM or SIGINT stops after the batch, a second one at once.
pub(super) fn signals() -> std::io::Result<mpsc::Receiver<Order>> {
    let is_stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the shutdown is conditional on a flag that only the first signal raises.
        signal_hook::flag::register_conditional_shutdown(signal, STOPPED_AT_ONCE, Arc::clone(&is_stopping))?;
        signal_hook::flag::register(signal, Arc::clone(&is_stopping))?;
    }
    let mut signals = signal_hook_tokio::Signals::new([SIGHUP, SIGTERM, SIGINT])?;
    let (send, orders) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(signal) = signals.next().await {
            let order = match signal {
                SIGHUP => Order::Reload,
                SIGINT => Order::Stop("SIGINT"),
                _ => Order::Stop("SIGTERM"),
            };
            if send.send(order).await.is_err() {
                return;
            }
        }
    });
    Ok(orders)
}

/// Runs a daemon until it is told to stop, or cannot go on. `ready` is told when everything is up.
///
/// # Errors
/// When it cannot start, or a part of it fails.
pub async fn serve(setup: Setup, orders: mpsc::Receiver<Order>, ready: oneshot::Sender<()>) -> Result<(), ServeError> {
    let accepted = check::load(&setup.config).map_err(ServeError::Settings)?;
    reload::tell(&accepted.loaded.warnings);
    let held = state::hold(&setup.state_dir, Arc::clone(&setup.clock), setup.may_make_keys).await;
    let Held { store, keys, lock, .. } = held.map_err(ServeError::State)?;
    let bared = accepted.loaded.settings.bared_keys(&store.personal_keys());
    if !bared.is_empty() {
        return Err(ServeError::Settings(bared));
    }
    reload::cover(&accepted.loaded.settings, &store).await.map_err(ServeError::Store)?;
    begin(&store).await?;
    let boards = Boards::new(accepted);
    boards.begin(&setup.config, &store).await.map_err(ServeError::Store)?;
    tell_doubt(&store);
    let workshop = Workshop {
        store: Arc::clone(&store),
        settings: boards.settings.in_force(),
        keys,
        clock: Arc::clone(&setup.clock),
    };
    settle(&workshop).await;
    let listener = listen(&setup).await?;
    let beat = Heartbeat::start().await.map_err(ServeError::Timer)?;
    let mut house = Running::start(&setup, boards, workshop, listener, beat);
    Notifier.ready();
    house.tell();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");
    // Nobody may be waiting to hear it.
    let _ = ready.send(());
    let ended = house.watch(orders, &setup, &store).await;
    let why = ended.as_ref().map_or_else(|error| causes(error), |why| (*why).to_owned());
    Notifier.stopping();
    tracing::info!(%why, "stopping");
    let stopped = house.stop().await;
    end(store, &why).await;
    drop(lock);
    ended.map(drop).and(stopped)
}

/// Writes the start down, and closes the runs that the last end has cut short. They are queued again.
async fn begin(store: &Store) -> Result<(), ServeError> {
    let mut turn = store.turn().await;
    let mut change = turn.begin().await.map_err(ServeError::Store)?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    change.record(&By::daemon(), &Kind::DaemonStarted { version }).await.map_err(ServeError::Store)?;
    let interrupted = change.stop_interrupted_runs(INTERRUPTED).await.map_err(ServeError::Store)?;
    for run in interrupted {
        tracing::warn!(%run, "a run had been cut short");
        jobs::queue_rest(store, &mut change, run).await.map_err(ServeError::Store)?;
    }
    change.commit().await.map_err(ServeError::Store)?;
    drop(turn);
    pass("start-noted");
    Ok(())
}

fn tell_doubt(store: &Store) {
    if let Some(doubt) = store.clock_doubt() {
        tracing::error!(why = %doubt, "the clock is not believed: no job runs");
    }
}

/// Settles what the last end has left open. A source that cannot be settled is left alone; the others go on.
async fn settle(workshop: &Workshop) {
    for name in workshop.settings.sources.keys() {
        match jobs::settle(workshop, name).await {
            Ok(true) => {}
            Ok(false) => tracing::error!(source = %name, "the source is closed: no job works on it"),
            Err(error) => tracing::error!(source = %name, error = %causes(&error), "the source cannot be settled now"),
        }
    }
}

async fn listen(setup: &Setup) -> Result<Listener, ServeError> {
    let adopted = adopted_sockets().map_err(ServeError::Adopted)?;
    match adopted.into_iter().next() {
        Some(socket) => Listener::adopted(socket).map_err(ServeError::Socket),
        None => Listener::bind(&setup.socket).await.map_err(ServeError::Bind),
    }
}

async fn end(store: Arc<Store>, why: &str) {
    let mut turn = store.turn().await;
    let noted = async {
        let mut change = turn.begin().await?;
        change.record(&By::daemon(), &Kind::DaemonStopped { why: why.to_owned() }).await?;
        change.commit().await
    };
    if let Err(error) = noted.await {
        tracing::error!(error = %causes(&error), "the stop could not be written down");
    }
    drop(turn);
    match Arc::try_unwrap(store) {
        Ok(store) => store.close().await,
        Err(_) => tracing::debug!("the state is closed with the process"),
    }
}

/// The daemon's tasks.
struct Running {
    tasks: JoinSet<Result<(), ServeError>>,
    stop: watch::Sender<bool>,
    boards: Boards,
    pulse: Arc<Pulse>,
    /// Where the socket is, however it was opened.
    socket: Option<PathBuf>,
    /// Whether whoever connects waits for a place.
    is_full: watch::Receiver<bool>,
    /// What tells how things stand, until it has begun.
    health: Option<Watch>,
}

impl Running {
    fn start(setup: &Setup, boards: Boards, workshop: Workshop, listener: Listener, mut beat: Heartbeat) -> Self {
        let stop = watch::Sender::new(false);
        let ended = watch::Sender::new(0);
        let (pulse, socket) = (Arc::new(Pulse::start()), listener.path());
        let (store, clock) = (Arc::clone(&workshop.store), Arc::clone(&setup.clock));
        let book = Book::new(store, boards.settings.subscribe(), clock, Arc::clone(&pulse));
        let scheduler = Arc::new(Scheduler::new(Arc::new(book), Arc::clone(&setup.clock)));
        let house = house(setup, &boards, &workshop, &scheduler, &ended, &stop);
        let mut tasks = JoinSet::new();
        let health = Watch {
            desk: house.desk.clone(),
            settings: boards.settings.subscribe(),
            asides: boards.asides.subscribe(),
            ended: ended.subscribe(),
            stopping: stop.subscribe(),
            installation: workshop.store.installation().to_owned(),
        };
        let (timetable, stopping, timer) = (boards.timetable.subscribe(), stop.subscribe(), Arc::clone(&scheduler));
        tasks.spawn(async move {
            let kept = timer.keep_time(&mut beat, timetable, stopping).await.map_err(ServeError::Jobs);
            beat.stop();
            kept
        });
        let runner = Runner {
            store: workshop.store,
            settings: boards.settings.subscribe(),
            keys: workshop.keys,
            clock: workshop.clock,
            ended,
        };
        let stopping = stop.subscribe();
        tasks.spawn(async move {
            check_whole(&runner.store, &stopping).await?;
            scheduler.run_queue(&runner, stopping).await.map_err(ServeError::Jobs)
        });
        let mut stopping = stop.subscribe();
        let server = Server::new(listener, Arc::new(house));
        let is_full = server.is_full();
        tasks.spawn(async move {
            let stopped = async move {
                // A sender that is gone means the same.
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            server.serve(stopped).await.map_err(ServeError::Answering)
        });
        Self { tasks, stop, boards, pulse, socket, is_full, health: Some(health) }
    }

    /// Begins to tell how things stand: not before the service manager knows that everything is up.
    fn tell(&mut self) {
        if let Some(health) = self.health.take() {
            self.tasks.spawn(health.keep().map(Ok));
        }
    }

    /// Follows orders until one is to stop; gives why. A task that ends before that is a failure.
    async fn watch(
        &mut self,
        mut orders: mpsc::Receiver<Order>,
        setup: &Setup,
        store: &Store,
    ) -> Result<&'static str, ServeError> {
        let Self { tasks, boards, pulse, socket, is_full, .. } = self;
        let liveness = Liveness { pulse, store, socket: socket.take(), is_full: is_full.clone() };
        let mut fed = pin!(liveness.feed());
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Stop(why)) => return Ok(why),
                    None => return Ok("nobody gives orders any more"),
                    Some(Order::Reload) => {
                        Notifier.reloading();
                        let reloaded = boards.reload(&setup.config, store).await;
                        Notifier.ready();
                        reloaded.map_err(ServeError::Store)?;
                    }
                },
                ended = tasks.join_next() => return Err(failure(ended)),
                never = &mut fed => match never {},
            }
        }
    }

    /// Tells every task to stop and waits for it. A run finishes its batch.
    async fn stop(mut self) -> Result<(), ServeError> {
        self.stop.send_replace(true);
        let mut stopped = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = ended.map_err(ServeError::Died).and_then(|ended| ended);
            if let Err(error) = &ended {
                tracing::error!(error = %causes(error), "a part of the daemon did not stop well");
            }
            stopped = stopped.and(ended);
        }
        stopped
    }
}

/// What takes the longer, the more history there is, and must have passed before anything is prepared or erased.
async fn check_whole(store: &Store, stop: &watch::Receiver<bool>) -> Result<(), ServeError> {
    let stop = stop.clone();
    let checked = store.check_whole(move || *stop.borrow()).await;
    if checked.map_err(|error| ServeError::State(StateError::Store(error)))? {
        tracing::info!("the state is whole");
    }
    Ok(())
}

fn house(
    setup: &Setup,
    boards: &Boards,
    workshop: &Workshop,
    scheduler: &Arc<Scheduler<Book>>,
    ended: &watch::Sender<u64>,
    stop: &watch::Sender<bool>,
) -> House {
    let bell = Arc::clone(scheduler);
    House {
        desk: Desk::new(
            Arc::clone(&workshop.store),
            boards.settings.clone(),
            workshop.keys.fingerprint.clone(),
            &workshop.keys.checkpoint,
            Arc::clone(&setup.clock),
        ),
        timetable: boards.timetable.subscribe(),
        ring: Box::new(move || bell.ring()),
        ended: ended.subscribe(),
        stopping: stop.subscribe(),
        started_at: setup.clock.now(),
        who_is_named: Arc::new(identity_named),
        own_uid: nix::unistd::geteuid().as_raw(),
    }
}

fn failure(ended: Option<Result<Result<(), ServeError>, JoinError>>) -> ServeError {
    match ended {
        Some(Ok(Err(error))) => error,
        Some(Err(error)) => ServeError::Died(error),
        Some(Ok(Ok(()))) | None => ServeError::Ended,
    }
}
