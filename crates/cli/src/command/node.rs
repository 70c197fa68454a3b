//! `ecac node`: keeping a project in step with other nodes, by the program `ecac-node`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::{ProjectId, PublicKey};
use ecac_project::{KeyUse, Peer};
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::node_program::NodeProgram;
use crate::output;

/// Keep in step with other nodes over the network, until Ctrl-C
///
/// Dials each peer again and again, and lets in peers and whom --allow names, nobody else: nodes know each other by the keys of
/// their machines, which `ecac node key` prints. It listens on this machine alone unless it is told to listen elsewhere. What it
/// does is told as one JSON object a line on standard error. Between sessions the project can be used as ever. The network is in a
/// program of its own, `ecac-node`, which this one becomes; it has to be installed beside it.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  ecac node key
  ecac node --listen 192.0.2.5:4919 --peer did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK@192.0.2.7:4919
  ecac node --allow did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK --store /srv/shop --metrics 127.0.0.1:9100"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
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
    /// Only begin if it is this project
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// The directory that has the project; the same as --project-dir
    #[arg(long, value_name = "DIR", conflicts_with = "project_dir")]
    store: Option<PathBuf>,
}

/// What else there is to do with a node.
#[derive(Debug, clap::Subcommand)]
enum Command {
    Key(Key),
}

/// Print the key of this machine, which others allow
///
/// It is made where there is none. It needs no project, and no program beside this one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac node key
  ecac node key --json | jq -r .did")]
struct Key {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    match &args.command {
        Some(Command::Key(key)) => print_key(key, globals),
        None => start(args, globals),
    }
}

fn print_key(args: &Key, globals: &Globals) -> Result<(), Failure> {
    let key = globals.key(KeyUse::Node, &globals.node()?)?.public();
    if args.json {
        return output::print_json(&json!({ "format": "ecac-node-key-v1", "did": key }));
    }
    output::print(format!("{key}\n").as_bytes())
}

fn start(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let doing = "run a node";
    let project = globals.project_at(args.store.as_deref())?;
    let found = project.config().project;
    if args.project.is_some_and(|it| it != found) {
        let hint = "name its directory with --store, or join the other project in a new one: `ecac join LINE`";
        let cause = format!("the project here is {found}");
        return Err(Failure::new(exit::BAD_INPUT, doing, cause, hint));
    }
    let node = globals.node()?;
    let program = NodeProgram::find(doing)?;
    let mut command = program.command("run", &globals.home()?, &node);
    command.arg("--store").arg(project.folder());
    let mut option = |name: &str, value: String| {
        command.args([OsString::from(name), OsString::from(value)]);
    };
    option("--project", found.to_string());
    option("--listen", args.listen.to_string());
    option("--every", args.every.to_string());
    for peer in &args.peer {
        option("--peer", peer.to_string());
    }
    for key in &args.allow {
        option("--allow", key.to_string());
    }
    if let Some(metrics) = args.metrics {
        option("--metrics", metrics.to_string());
    }
    program.become_it(command)
}
