//! The edge of the program: the clock, the random source, the environment, and where the user's directories are.

use std::env;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ecac_artifact::exit;
use ecac_core::PublicKey;
use ecac_project::{Home, Key, KeyName, KeyUse, Project, Writer, find, folder_in};
use ecac_store::DurableReplica;

use crate::color::Color;
use crate::failure::Failure;
use crate::variable::variable;
use crate::{behind, output};

/// The name of this machine's key, where nothing else is said.
const NODE: &str = "node";
/// How long another process is waited for that has the store open: a session of a node is mostly over by then. And how often it is
/// tried again.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(20);

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// Use the project of DIR, which has `.ecac`, instead of the nearest one here or above (or ECAC_DIR)
    #[arg(long, global = true, value_name = "DIR")]
    project_dir: Option<PathBuf>,
    /// Colours: `always`, `never`, or `auto`, which leaves them out where NO_COLOR is set or no terminal is
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) color: Color,
    /// Write although the project uses what this program does not know: what is written is written without that
    #[arg(long, global = true)]
    behind: bool,
    /// Milliseconds since 1970 that the clock is taken to show (or ECAC_NOW_MS)
    #[arg(long, global = true, hide = true, value_name = "MS")]
    now: Option<u64>,
}

impl Globals {
    /// The place of the project that is named, if one is.
    fn named(&self) -> Option<PathBuf> {
        let named = self.project_dir.clone();
        named.or_else(|| variable("ECAC_DIR").map(PathBuf::from))
    }

    /// The directory `.ecac` to be made: in the place that is named, or here.
    pub(crate) fn new_folder(&self) -> PathBuf {
        folder_in(&self.named().unwrap_or_default())
    }

    /// What the clock shows, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> Result<u64, Failure> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let bad = |cause: &str| {
            Failure::new(
                exit::ENVIRONMENT,
                "read the clock",
                cause,
                "mend the clock of this machine",
            )
        };
        if let Some(now) = variable("ECAC_NOW_MS") {
            let now = now.to_str().and_then(|it| it.parse().ok());
            return now.ok_or_else(|| bad("ECAC_NOW_MS is no number of milliseconds"));
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.map_err(|_| bad("it shows a time before 1970"))?;
        u64::try_from(since.as_millis()).map_err(|_| bad("it shows the end of time"))
    }

    /// The user's own directory.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        let data = || variable("XDG_DATA_HOME").map(|it| PathBuf::from(it).join("ecac"));
        let local = || variable("HOME").map(|it| PathBuf::from(it).join(".local/share/ecac"));
        let folder = variable("ECAC_HOME").map(PathBuf::from);
        let folder = folder.or_else(data).or_else(local);
        folder.map(Home::at).ok_or_else(|| {
            Failure::new(
                exit::ENVIRONMENT,
                "find your directory of keys",
                "neither ECAC_HOME, XDG_DATA_HOME nor HOME is set",
                "set ECAC_HOME to a directory that is yours alone",
            )
        })
    }

    /// The project that is meant.
    pub(crate) fn project(&self) -> Result<Project, Failure> {
        self.project_at(None)
    }

    /// The project in that place, or the one that is meant where no place is said.
    pub(crate) fn project_at(&self, place: Option<&Path>) -> Result<Project, Failure> {
        let doing = "open the project";
        let folder = match place.map(Path::to_owned).or_else(|| self.named()) {
            Some(named) => folder_in(&named),
            None => {
                let here = env::current_dir();
                let here = here.map_err(|error| Failure::read("the working directory", &error))?;
                find(&here).map_err(|error| Failure::of(doing, &error))?
            }
        };
        let project = Project::open(&folder, &self.home()?);
        let project = project.map_err(|error| Failure::of(doing, &error))?;
        Ok(project.behind_is_fine(self.behind))
    }

    /// The project and its replica, to be read.
    pub(crate) fn reading(&self) -> Result<(Project, DurableReplica), Failure> {
        let project = self.project()?;
        let replica = patiently(|| project.read());
        let replica = replica.map_err(|error| Failure::of("open the project", &error))?;
        if let Some(behind) = replica.behind() {
            output::note(&behind::warning_of(&behind));
        }
        Ok((project, replica))
    }

    /// The project, its one writer, and the key with which the user signs.
    pub(crate) fn writing(&self) -> Result<(Project, Writer, Key), Failure> {
        let project = self.project()?;
        let opened = |error| Failure::of("open the project to write in it", &error);
        let key = project.key().map_err(opened)?;
        let node = self.node()?;
        let writer = patiently(|| project.write(&node)).map_err(opened)?;
        if let Some(behind) = writer.behind() {
            output::note(&behind::warning_of(&behind));
        }
        Ok((project, writer, key))
    }

    /// The name of this machine's key, which is made where it is absent.
    pub(crate) fn node(&self) -> Result<KeyName, Failure> {
        let node = key_name(NODE)?;
        self.key(KeyUse::Node, &node)?;
        Ok(node)
    }

    /// The key of this machine, if it has one.
    pub(crate) fn node_on_record(&self) -> Result<Option<PublicKey>, Failure> {
        match self.home()?.key(KeyUse::Node, &key_name(NODE)?) {
            Ok(key) => Ok(Some(key.public())),
            Err(ecac_project::Error::NoKey { .. }) => Ok(None),
            Err(error) => Err(Failure::of("open the key", &error)),
        }
    }

    /// A key of the user, which is made where it is absent.
    pub(crate) fn key(&self, used: KeyUse, name: &KeyName) -> Result<Key, Failure> {
        let home = self.home()?;
        let key = match home.key(used, name) {
            Err(ecac_project::Error::NoKey { .. }) => home.keep(used, name, seed()?),
            key => key,
        };
        key.map_err(|error| Failure::of("open the key", &error))
    }
}

/// Opens a store, which another process may have open for a moment.
fn patiently<T>(
    open: impl Fn() -> Result<T, ecac_project::Error>,
) -> Result<T, ecac_project::Error> {
    let began = Instant::now();
    loop {
        match open() {
            Err(ecac_project::Error::Store(ecac_store::Error::Held { .. }))
                if began.elapsed() < PATIENCE =>
            {
                sleep(AGAIN);
            }
            opened => return opened,
        }
    }
}

/// The name as that of a key.
pub(crate) fn key_name(name: &str) -> Result<KeyName, Failure> {
    name.parse().map_err(|error| {
        Failure::new(
            exit::USAGE,
            "name a key",
            error,
            "choose a name such as `me`",
        )
    })
}

/// Random bytes of the system, as many as a key or a digest has.
pub(crate) fn seed() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(
            exit::ENVIRONMENT,
            "get random bytes of the system",
            error,
            "look at what this machine allows the program",
        )
    })?;
    Ok(bytes)
}
