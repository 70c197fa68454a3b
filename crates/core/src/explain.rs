//! Explanations: why an op counts, or why it does not.

use core::fmt;

use serde::Serialize;

use crate::authority::{Effect, Grant, Title};
use crate::costs::Costs;
use crate::credential::Role;
use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::log::Log;
use crate::op::Body;
use crate::payload::Payload;
use crate::quote::quote;
use crate::replay::{Decision, Replay};

/// The answer to "why?" for one op: the decision and the chain op, grant, credential, issuer key, root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The op.
    pub op: OpId,
    /// Its author; absent for refused ops, of which nothing else is kept.
    pub author: Option<PublicKey>,
    /// Kind of payload.
    pub kind: Option<&'static str>,
    /// `applied`, `denied`, `refused`, `pending` or `unsupported`.
    pub verdict: &'static str,
    /// The reason, if it is not applied.
    pub reason: Option<&'static str>,
    /// What the reason means.
    pub meaning: &'static str,
    /// The denial or the grant that decides.
    pub witness: Option<Witness>,
    /// The ancestors that a pending op waits for and that are absent.
    pub missing: Vec<OpId>,
    /// What an op of trust or policy does, or that it counts for nothing and why.
    pub effect: Option<Effect>,
    /// The grants under which the op was admitted, each followed by the chain up to a root.
    pub grants: Vec<Vec<Link>>,
}

/// The op that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// The op.
    pub op: OpId,
    /// Its author; absent for a refused parent, of which nothing but the id is kept.
    pub author: Option<PublicKey>,
    /// Kind of payload, likewise.
    pub kind: Option<&'static str>,
}

/// The link between a device and the person for whom it signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceLink {
    /// The device's key.
    pub key: PublicKey,
    /// The `Device` op.
    pub link: OpId,
    /// Who made it.
    pub made_by: PublicKey,
}

/// One link of a chain of authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The op that grants.
    pub grant: OpId,
    /// Who grants.
    pub granter: PublicKey,
    /// Who is granted.
    pub subject: PublicKey,
    /// The device of the subject that uses the grant, if it is not the subject's own key.
    pub device: Option<DeviceLink>,
    /// The role.
    pub role: Role,
    /// The scope; empty for root, which is not bounded.
    pub scope: Vec<String>,
    /// The credential op; absent for genesis.
    pub credential: Option<OpId>,
    /// The issuer that signed the credential.
    pub issuer: Option<String>,
    /// The ops that list the issuer keys which verify it.
    pub issuer_keys: Vec<OpId>,
}

/// Explains an op that the log holds; `None` for one that it does not hold.
///
/// # Panics
/// If the log has admitted ops since the replay's last advance.
#[must_use]
pub fn explain(log: &Log, replay: &Replay, id: &OpId) -> Option<Explanation> {
    let decision = replay.decision(log, id)?;
    let body = body(log, id);
    let warrants = log
        .dag
        .find(id)
        .map_or(&[][..], |at| log.authority.warrants(at));
    Some(Explanation {
        op: *id,
        author: body.as_ref().map(|body| body.author),
        kind: body.as_ref().map(|body| body.payload.kind()),
        verdict: decision.verdict(),
        reason: decision.reason(),
        meaning: meaning(log, &decision),
        witness: decision.witness().map(|op| witness(log, op)),
        missing: log.absent(id).into_iter().collect(),
        effect: replay.effect(log, id, &mut Costs::default()),
        grants: warrants.iter().map(|&title| chain(log, title)).collect(),
    })
}

fn witness(log: &Log, op: OpId) -> Witness {
    let body = body(log, &op);
    Witness {
        op,
        author: body.as_ref().map(|body| body.author),
        kind: body.as_ref().map(|body| body.payload.kind()),
    }
}

/// The body of an op that is held, also where its envelope was dropped; of a refused one nothing is kept.
fn body(log: &Log, op: &OpId) -> Option<Body> {
    match log.dag.find(op) {
        Some(at) => log.body(at),
        None => log.get(op).map(|op| op.body().clone()),
    }
}

/// The grant, its granter's grant, and so on up to genesis; of several grants of a granter, the first.
fn chain(log: &Log, first: Title) -> Vec<Link> {
    let mut links = Vec::new();
    let mut next = Some(first);
    while let Some(title) = next {
        let grant = &log.authority.grants[title.grant];
        links.extend(link(log, grant, title));
        next = least(log, log.authority.warrants(grant.op));
    }
    links
}

/// The title whose grant has the least op id.
fn least(log: &Log, titles: &[Title]) -> Option<Title> {
    titles
        .iter()
        .copied()
        .min_by_key(|it| (log.dag.id(log.authority.grants[it.grant].op), it.link))
}

fn link(log: &Log, grant: &Grant, title: Title) -> Option<Link> {
    let device = title.link.map(|link| &log.authority.links[link]);
    let (role, scope) = grant.right()?;
    let vouched = grant.vouched();
    let id = |at: Index| log.dag.id(at);
    let keys = vouched.map_or(&[][..], |vouched| &vouched.keys);
    Some(Link {
        grant: id(grant.op),
        granter: log.dag.node(grant.op).author,
        subject: grant.subject,
        device: device.map(|link| DeviceLink {
            key: link.key,
            link: log.dag.id(link.op),
            made_by: log.dag.node(link.op).author,
        }),
        role,
        scope: scope.iter().cloned().collect(),
        credential: vouched.map(|vouched| id(vouched.carrier)),
        issuer: vouched.map(|vouched| vouched.credential.issuer.clone()),
        issuer_keys: keys
            .iter()
            .map(|&key| id(log.authority.keys[key].op))
            .collect(),
    })
}

/// What the decision means, for people.
fn meaning(log: &Log, decision: &Decision) -> &'static str {
    match decision {
        Decision::Applied { grant } => match log.get(grant).as_ref().map(|op| &op.body().payload) {
            Some(Payload::Seal(_)) => {
                "its own authority is gone, and it stands: it was applied in the past of a final seal"
            }
            Some(Payload::Endorse(_)) => {
                "its own authority is gone, and an endorsement that counts gives it back"
            }
            Some(_) | None => {
                "a grant in its past allows it, and nothing that is known kills that grant"
            }
        },
        Decision::Pending { .. } => "ancestors of it are absent: the op is stored and not visible",
        Decision::Unsupported => {
            "this program does not know its kind, or that of an op that it builds on: it is stored and not judged; upgrade this program"
        }
        Decision::Denied { reason, .. } => reason.meaning(),
        Decision::Refused { reason, .. } => reason.meaning(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "op       {}", self.op)?;
        if let (Some(kind), Some(author)) = (self.kind, self.author) {
            writeln!(f, "payload  {kind}\nauthor   {author}")?;
        }
        match self.reason {
            Some(reason) => writeln!(f, "verdict  {} ({reason})", self.verdict)?,
            None => writeln!(f, "verdict  {}", self.verdict)?,
        }
        writeln!(f, "why      {}", self.meaning)?;
        if let Some(witness) = &self.witness {
            writeln!(
                f,
                "witness  {} {}",
                witness.kind.unwrap_or("refused op"),
                witness.op
            )?;
            if let Some(author) = witness.author {
                writeln!(f, "         by {author}")?;
            }
        }
        for missing in &self.missing {
            writeln!(f, "missing  {missing}")?;
        }
        if let Some(effect) = &self.effect {
            let counts = match effect.code.counts() {
                Some(true) => "",
                Some(false) => "counts for nothing: ",
                None => "not known: ",
            };
            writeln!(
                f,
                "effect   {} ({counts}{})",
                effect.code,
                effect.code.meaning()
            )?;
            for op in &effect.on {
                writeln!(f, "         on {op}")?;
            }
        }
        for (number, chain) in self.grants.iter().enumerate() {
            writeln!(f, "\nauthority {}, from the op up to a root:", number + 1)?;
            for link in chain {
                write!(f, "  {link}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<String> = self.scope.iter().map(|tag| quote(tag)).collect();
        let scope = if self.role == Role::Root {
            "everything".into()
        } else {
            tags.join(", ")
        };
        writeln!(f, "{} over [{scope}]", self.role)?;
        if let Some(device) = &self.device {
            writeln!(f, "    device      {}", device.key)?;
            writeln!(f, "    linked by   {} {}", device.made_by, device.link)?;
        }
        writeln!(f, "    subject     {}", self.subject)?;
        writeln!(f, "    grant       {}", self.grant)?;
        writeln!(f, "    granted by  {}", self.granter)?;
        if let (Some(credential), Some(issuer)) = (self.credential, &self.issuer) {
            writeln!(
                f,
                "    credential  {credential}\n    issuer      {}",
                quote(issuer)
            )?;
        }
        self.issuer_keys
            .iter()
            .try_for_each(|key| writeln!(f, "    issuer key  {key}"))
    }
}
