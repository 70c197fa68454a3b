//! `ecac-node`: syncs a project directory with other nodes, over QUIC.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser, Subcommand};
use ecac_artifact::exit;
use ecac_core::{ProjectId, PublicKey};
use ecac_net::{Node, Settings, carry, sync_once};
use ecac_project::{Cause, Home, KeyName, KeyUse, Peer, Project, folder_in};
use tokio::sync::watch;

/// Syncs a project directory with other nodes, over QUIC
///
/// Nodes know each other by the keys of their machines (`ecac-node key`), and talk to nobody else. `ecac node` and `ecac sync PEER`
/// start this program, and know by themselves where project and keys are.
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true, after_help = exit::help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Place {
    /// The directory that has `.ecac` in it
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    store: PathBuf,
    /// Only go on if that is this project
    #[arg(long, global = true, value_name = "ID")]
    project: Option<ProjectId>,
    /// The directory of your keys, as `ecac` has it [default: that of ECAC_HOME]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The name of this machine's key
    #[arg(long, global = true, value_name = "NAME", default_value = "node")]
    key: KeyName,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the key of this machine, which others allow
    Key,
    /// Sync with peers until SIGINT or SIGTERM
    Run {
        /// Where to listen; only this machine reaches the default
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4919")]
        listen: SocketAddr,
        /// Dial this node, and let it in; can be repeated
        #[arg(long, value_name = "KEY@ADDRESS")]
        peer: Vec<Peer>,
        /// Let this node in; can be repeated
        #[arg(long, value_name = "KEY")]
        allow: Vec<PublicKey>,
        /// Dial each peer so often
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        every: u64,
        /// Serve counters as OpenMetrics text there
        #[arg(long, value_name = "ADDRESS")]
        metrics: Option<SocketAddr>,
    },
    /// Sync with one peer once
    Sync {
        /// The node
        #[arg(value_name = "KEY@ADDRESS")]
        peer: Peer,
    },
    /// Carry one session between a peer and who has started this, on standard input and output
    ///
    /// Frames as they are on the wire. Once the peer is reached there is an empty one on standard output; only then is there
    /// something to say.
    Carry {
        /// The node
        #[arg(value_name = "KEY@ADDRESS")]
        peer: Peer,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = ecac_project::no_core_dumps() {
        // Where nobody reads there is nobody to tell.
        drop(writeln!(
            std::io::stderr(),
            "note: core dumps stay as they are: {error}"
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime.context("start").and_then(|it| {
        let done = it.block_on(run(cli));
        // A read of standard input that has not returned is not waited for.
        it.shutdown_background();
        done
    });
    match done {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            let reported = error.chain().find_map(|it| it.downcast_ref());
            let hint = reported.map_or_else(String::new, |it: &ecac_project::Error| {
                format!("\nhint: {}", it.hint())
            });
            // Where nobody reads there is nobody to tell.
            drop(writeln!(
                std::io::stderr(),
                "error: failed to {error:#}{hint}"
            ));
            ExitCode::from(reported.map_or(exit::ENVIRONMENT, code))
        }
    }
}

/// The exit code of what the project directory or the home reports, as `ecac` has it.
fn code(reported: &ecac_project::Error) -> u8 {
    match reported.cause() {
        Cause::Missing => exit::NOT_FOUND,
        Cause::Environment => exit::ENVIRONMENT,
        Cause::BadInput => exit::BAD_INPUT,
        Cause::Damaged => exit::VERIFICATION,
        Cause::Refused => exit::REFUSED,
    }
}

async fn run(cli: Cli) -> Result<()> {
    let named = cli.place.home;
    let named = named.or_else(|| std::env::var_os("ECAC_HOME").map(PathBuf::from));
    let home = Home::at(named.context("find your keys: name their directory with --home")?);
    let node = cli.place.key;
    let open = || {
        let project = Project::open(&folder_in(&cli.place.store), &home);
        let project = project.context("open the project")?;
        let (found, wanted) = (project.config().project, cli.place.project);
        let is_meant = wanted.is_none_or(|it| it == found);
        ensure!(is_meant, "open the project: it is {found}");
        Ok(project)
    };
    let say = |text: String| writeln!(std::io::stdout(), "{text}").context("write");
    match cli.command {
        Command::Key => {
            let key = home.key(KeyUse::Node, &node).context("read the node key")?;
            say(key.public().to_string())
        }
        Command::Run {
            listen,
            peer,
            allow,
            every,
            metrics,
        } => {
            let settings = Settings {
                listen,
                peers: peer,
                allowed: allow,
                every: Duration::from_secs(every),
                metrics,
            };
            let running = Node::listen(open()?, &home, node, settings).await?;
            running.run(signals()?).await
        }
        Command::Sync { peer } => {
            let (received, sent) = sync_once(open()?, &home, node, peer, signals()?).await?;
            say(format!("received {received} ops, sent {sent}"))
        }
        Command::Carry { peer } => {
            let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
            carry(&home, &node, peer, input, output, signals()?).await
        }
    }
}

/// Says so once SIGINT or SIGTERM has come.
fn signals() -> Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let (mut signal, stop) = (signal(kind).context("listen to signals")?, stop.clone());
            tokio::spawn(async move {
                if signal.recv().await.is_some() {
                    stop.send_replace(true);
                }
            });
        }
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.send_replace(true);
        }
    });
    Ok(stopped)
}
