//! The demo's folder: database, settings, state, socket.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::DemoError;
use crate::daemon::output;
use crate::source::sample::{self, SampleSummary};

/// The settings of the sample database, as the repository holds them.
const SETTINGS: [(&str, &str); 5] = [
    ("erasured.toml", include_str!("../../../config/crm/erasured.toml")),
    ("categories/prospect.toml", include_str!("../../../config/crm/categories/prospect.toml")),
    ("categories/person.toml", include_str!("../../../config/crm/categories/person.toml")),
    ("categories/member.toml", include_str!("../../../config/crm/categories/member.toml")),
    ("categories/user.toml", include_str!("../../../config/crm/categories/user.toml")),
];

/// In the settings nobody may write the file anew. Nobody else works on the demo's database: there it is allowed all day.
const VACUUM: [&str; 2] = ["# vacuum = \"02:00-04:00\"", "vacuum = \"00:00-24:00\""];

/// The demo's folder.
pub(super) struct Place {
    pub(super) dir: PathBuf,
    pub(super) summary: SampleSummary,
}

impl Place {
    pub(super) async fn make(dir: Option<PathBuf>, seed: u64, today: Date) -> Result<Self, DemoError> {
        let dir = match dir {
            Some(dir) => std::path::absolute(&dir).map_err(|source| DemoError::Place { dir, source })?,
            None => chosen()?,
        };
        let failed = |source| DemoError::Place { dir: dir.clone(), source };
        std::fs::DirBuilder::new().mode(0o700).create(&dir).map_err(failed)?;
        std::fs::create_dir_all(dir.join("config/categories")).map_err(failed)?;
        for (name, text) in SETTINGS {
            std::fs::write(dir.join("config").join(name), text.replace(VACUUM[0], VACUUM[1])).map_err(failed)?;
        }
        let summary = sample::create(&dir.join("config/crm.db"), seed, today).await.map_err(DemoError::Sample)?;
        Ok(Self { dir, summary })
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.join("config")
    }

    pub(super) fn database(&self) -> PathBuf {
        self.dir.join("config/crm.db")
    }

    pub(super) fn state_dir(&self) -> PathBuf {
        self.dir.join("state")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.dir.join("run/admin.sock")
    }

    /// Leaves the folder, or removes it.
    pub(super) fn leave(&self, remove: bool) {
        if !remove {
            output::data(&format!("The demo's folder stays: {}", self.dir.display()));
        } else if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            output::talk(&format!("note: {} is left behind: {error}", self.dir.display()));
        }
    }
}

fn chosen() -> Result<PathBuf, DemoError> {
    let below = std::env::temp_dir();
    let name = crate::record::random_bytes::<4>()
        .map_err(|error| DemoError::Place { dir: below.clone(), source: std::io::Error::other(error) })?;
    Ok(Path::new(&below).join(format!("erasured-demo-{}", crate::record::hex(&name))))
}
