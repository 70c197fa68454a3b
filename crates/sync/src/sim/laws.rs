//! The laws of sync, asked of the nodes of a run.

use ecac_core::{Body, Costs, DRIFT_MS, OpId, PublicKey, VerifiedOp};

use super::node::Node;
use super::office;

/// Whether the op names nobody's op from further ahead than the drift of the local clock, but its author's own last one.
pub(super) fn is_of_its_time(node: &Node, body: &Body, shown_ms: u64) -> bool {
    let latest_ms = shown_ms.saturating_add(DRIFT_MS);
    let author: PublicKey = body.author;
    body.parents.iter().all(|parent| {
        let log = node.kept.home.replica().log();
        log.get(parent)
            .is_none_or(|it| it.body().author == author || it.body().hlc.physical_ms <= latest_ms)
    })
}

/// What a node has lost that it wrote and that was on its disk.
pub(super) fn lost(node: &Node) -> Option<OpId> {
    let mut written = node.written.iter();
    written.find(|op| !node.kept.has(op)).copied()
}

/// The first envelope on the node's disk that does not verify.
pub(super) fn has_unverified(node: &Node) -> bool {
    let stored = node.kept.home.stored();
    let verifies = |it: &Vec<u8>| VerifiedOp::read(it, &mut Costs::default()).is_ok();
    !stored.iter().all(verifies)
}

/// Whether all honest nodes hold the same ops, and all that honest nodes wrote.
pub(super) fn agree(nodes: &[Node]) -> bool {
    let honest = || nodes.iter().filter(|it| !it.lies);
    let mut all = honest().map(|it| it.kept.ids());
    let Some(first) = all.next() else {
        return true;
    };
    let has = |op: &OpId| first.binary_search(op).is_ok();
    all.all(|it| it == first) && honest().flat_map(|it| &it.written).all(has)
}

/// How many envelopes the honest nodes are without.
pub(super) fn pruned(nodes: &[Node]) -> usize {
    let honest = nodes.iter().filter(|it| !it.lies);
    let replicas = honest.map(|it| it.kept.home.replica());
    replicas.map(|it| it.log().pruned_count()).sum()
}

/// Whether all honest nodes have the envelopes of all that they have admitted, the same ones.
pub(super) fn are_whole(nodes: &[Node]) -> bool {
    let mut honest = nodes.iter().filter(|it| !it.lies);
    let Some(first) = honest.next() else {
        return true;
    };
    let first = first.kept.home.replica();
    pruned(nodes) == 0
        && honest.all(|it| {
            let replica = it.kept.home.replica();
            first
                .log()
                .ids_since(0)
                .all(|op| replica.envelope(&op) == first.envelope(&op))
        })
}

/// What holds once all nodes agree.
pub(super) fn judge(nodes: &[Node]) -> Result<(), String> {
    let first = nodes[0].kept.home.replica();
    let digest = first.state_digest();
    if let Some(op) = office::taken_back(first) {
        return Err(format!("op {op} is sealed and does not count"));
    }
    for (at, node) in nodes.iter().enumerate().filter(|it| !it.1.lies) {
        let replica = node.kept.home.replica();
        if replica.state_digest() != digest {
            return Err(format!("node {at} has another state"));
        }
        let mut ops = first.log().ids_since(0);
        if let Some(op) = ops.find(|op| replica.decision(op) != first.decision(op)) {
            return Err(format!("node {at} decides otherwise on {op}"));
        }
        // What a liar made of its own may wait for a parent that does not verify, within the replica's limits. None of it is an
        // honest node's: all that honest nodes wrote is admitted, or they would not [`agree`].
        let is_honest = nodes.iter().all(|it| !it.lies);
        if replica.log().pending_count() > 0 && is_honest {
            return Err(format!("node {at} holds ops without their parents"));
        }
        if has_unverified(node) {
            return Err(format!("node {at} has stored what does not verify"));
        }
    }
    Ok(())
}
