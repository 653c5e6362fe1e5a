//! What several parts need: the data, and states in which something is proposed or confirmed. Each is made once, when it
//! is first asked for, by the daemon itself.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::civil::Date;

use crate::arguments::Arguments;
use crate::daemon::{Site, copy, remove};
use crate::fault::{Doing as _, Fault, Outcome};
use crate::job;
use crate::report::talk;
use crate::script::{Propose, Proposed};
use crate::sql::Sql;
use crate::{data, process};

/// The folder that all is in, and what is in it already.
pub struct Stage {
    /// What was asked for.
    pub arguments: Arguments,
    /// The day of the data.
    pub today: Date,
    /// The latest last contact that is due.
    pub cutoff: String,
    dir: tempfile::TempDir,
    original: OnceCell<PathBuf>,
    prepared: OnceCell<PathBuf>,
    confirmed: OnceCell<PathBuf>,
    script_proposals: OnceCell<PathBuf>,
    erased: OnceCell<Site>,
}

/// How confirming went.
pub struct Confirmed {
    /// Records that were confirmed.
    pub records: u64,
    /// How long that took.
    pub seconds: f64,
    /// The most memory that the daemon had.
    pub peak_kib: u64,
}

impl Stage {
    /// An empty stage.
    pub fn new(arguments: Arguments, today: Date) -> Outcome<Self> {
        let within = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
        fs::create_dir_all(&within).doing(format_args!("make {}", within.display()))?;
        refuse_memory(&within).inspect_err(|_| {
            // Goes where it was made for us, and stays where there is something in it.
            let _ = fs::remove_dir(&within);
        })?;
        let dir = tempfile::Builder::new().prefix("compare-").tempdir_in(&within).doing("make a folder")?;
        let cutoff = data::cutoff(today)?.to_string();
        Ok(Self {
            arguments,
            today,
            cutoff,
            dir,
            original: OnceCell::new(),
            prepared: OnceCell::new(),
            confirmed: OnceCell::new(),
            script_proposals: OnceCell::new(),
            erased: OnceCell::new(),
        })
    }

    /// A place in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The data. Nobody opens this file but to copy it.
    pub fn original(&self) -> Outcome<&Path> {
        made(&self.original, || {
            let (path, began) = (self.path("original.db"), Instant::now());
            data::make(&path, self.arguments.customers, self.today)?;
            let mib = fs::metadata(&path).map_or(0, |file| file.len()) >> 20;
            talk(format_args!("data: {} customers, {mib} MiB, {:.1?}", self.arguments.customers, began.elapsed()));
            Ok(path)
        })
    }

    /// A site of this name with the settings and a copy of the data.
    pub fn site(&self, name: &str) -> Outcome<Site> {
        let site = Site::new(self.path(name))?;
        copy(self.original()?, &site.database())?;
        Ok(site)
    }

    /// A state in which everything that is due is proposed.
    pub fn prepared(&self) -> Outcome<&Path> {
        made(&self.prepared, || {
            let site = self.site("preparing")?;
            let daemon = site.start()?;
            job::run(&site, &daemon, "prepare", None)?;
            daemon.stop()?;
            self.keep_state(&site, "prepared")
        })
    }

    /// Takes this state for the one in which everything is proposed.
    pub fn is_prepared(&self, site: &Site) -> Outcome<()> {
        let kept = self.keep_state(site, "prepared")?;
        self.prepared.set(kept).map_err(|_| Fault::new("the state was prepared twice"))
    }

    /// A state in which everything that is due is confirmed.
    pub fn confirmed(&self) -> Outcome<&Path> {
        made(&self.confirmed, || Ok(self.confirm("confirmed", u64::MAX >> 1)?.0))
    }

    /// Confirms all, and gives how that went.
    pub fn confirm_all(&self) -> Outcome<Confirmed> {
        let (kept, confirmed) = self.confirm("confirmed", u64::MAX >> 1)?;
        self.confirmed.set(kept).map_err(|_| Fault::new("the state was confirmed twice"))?;
        Ok(confirmed)
    }

    /// A state of this name in which so many records are confirmed.
    pub fn confirm(&self, name: &str, limit: u64) -> Outcome<(PathBuf, Confirmed)> {
        let site = self.site("confirming")?;
        site.take_state(self.prepared()?)?;
        let daemon = site.start()?;
        let began = Instant::now();
        let records = job::confirm(&site, limit)?;
        let confirmed = Confirmed { records, seconds: began.elapsed().as_secs_f64(), peak_kib: daemon.peak_kib()? };
        daemon.stop()?;
        Ok((self.keep_state(&site, name)?, confirmed))
    }

    /// Keeps a stopped daemon's state and removes the rest of its site.
    fn keep_state(&self, site: &Site, name: &str) -> Outcome<PathBuf> {
        let kept = self.path(name);
        fs::rename(site.state_dir(), &kept).doing("keep a state")?;
        fs::remove_dir_all(&site.dir).doing("remove a site")?;
        Ok(kept)
    }

    /// What the script has proposed.
    pub fn script_proposals(&self) -> Outcome<&Path> {
        made(&self.script_proposals, || {
            let (source, target) = (self.path("script-source.db"), self.path("proposals.db"));
            copy(self.original()?, &source)?;
            self.propose(&source, &self.prepared()?.join("state.db"), &target)?;
            remove(&source);
            Ok(target)
        })
    }

    /// Takes this file for what the script has proposed.
    pub fn is_proposed(&self, path: PathBuf) -> Outcome<()> {
        self.script_proposals.set(path).map_err(|_| Fault::new("the script has proposed twice"))
    }

    /// Takes this site, whose daemon is stopped, for one where everything is erased.
    pub fn is_erased(&self, site: Site) -> Outcome<()> {
        self.erased.set(site).map_err(|_| Fault::new("all was erased twice"))
    }

    /// A site where everything is erased, if there is one already.
    pub fn erased(&self) -> Option<&Site> {
        self.erased.get()
    }

    /// Lets the script propose from this source into this file, which is to be like this state.
    pub fn propose(&self, source: &Path, like: &Path, target: &Path) -> Outcome<Proposed> {
        let [source, like, target] = [source, like, target].map(Path::to_owned);
        process::ask("script-prepare", &Propose { source, like, target, cutoff: self.cutoff.clone() })
    }

    /// How many records are due.
    pub fn due(&self) -> u64 {
        (1..=self.arguments.customers).filter(|id| data::standing(*id) != data::Standing::NotDue).count() as u64
    }

    /// Takes the index of the addresses' reference away.
    pub fn unindex(database: &Path) -> Outcome<()> {
        let mut sql = Sql::application(database)?;
        sql.script(data::UNINDEX)?;
        sql.close()
    }
}

fn made(cell: &OnceCell<PathBuf>, make: impl FnOnce() -> Outcome<PathBuf>) -> Outcome<&Path> {
    if let Some(path) = cell.get() {
        return Ok(path);
    }
    let path = make()?;
    Ok(cell.get_or_init(|| path))
}

/// What is kept in memory is never synced: nothing that is measured there means anything.
fn refuse_memory(dir: &Path) -> Outcome<()> {
    let kind = nix::sys::statfs::statfs(dir).doing(format_args!("look at {}", dir.display()))?.filesystem_type();
    if kind == nix::sys::statfs::TMPFS_MAGIC {
        return Err(Fault::new(format!("{} is kept in memory; name a folder on a disk with --dir", dir.display())));
    }
    Ok(())
}
