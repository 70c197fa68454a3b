//! Acts: what each command of a player comes to.

use ecac_core::credential::{Credential, Role};
use ecac_core::payload;
use ecac_core::{Decision, OpId, Payload, ProjectId, VerifiedOp};

use super::command::{
    Act, Clock, Command, DEPUTY, DEVICES, Denial, EDITORS, Oddity, PLACES, Proof, RULES, SECRETS,
    Seen, Seq, Unlinked,
};
use super::player::{Player, is_signed_together, some};
use crate::secret;
use crate::world::{self, FIRST, Hand, person};

impl Player {
    pub(super) fn act(&mut self, command: &Command) {
        let payload = match &command.act {
            Act::Set { place, value } => {
                let (object, field) = PLACES[*place];
                world::set(object, field, *value)
            }
            Act::Add { place, element } => {
                let (object, field) = PLACES[*place];
                world::add(object, field, &element.to_string())
            }
            Act::Remove { place, element } => {
                let (object, field) = PLACES[*place];
                world::remove(object, field, &element.to_string())
            }
            Act::Hire {
                subject,
                role,
                scope,
                paper,
            } => {
                let payload = if paper.garbage {
                    Payload::Credential(payload::Credential {
                        jwt: "a.b.c".to_owned(),
                    })
                } else {
                    let (hand, window) = (paper.hand, paper.window);
                    let plain = hand.credential(*subject, *role, *scope, window, &paper.status);
                    odd(self.project, hand, plain, paper.oddity)
                };
                let simple = Command {
                    clock: Clock::Right,
                    seq: Seq::Right,
                    ..command.clone()
                };
                let credential = self.make(&simple, payload);
                // The grant follows its credential, and otherwise has seen what the actor has.
                let grant = Payload::Grant(payload::Grant {
                    subject: person(*subject).public,
                    credential,
                });
                let forks = matches!(command.seen, Seen::Fork(_));
                let stays = forks || !self.admitted.contains(&credential);
                let seen = if stays { command.seen } else { Seen::Own };
                self.make(
                    &Command {
                        seen,
                        ..command.clone()
                    },
                    grant,
                );
                return;
            }
            Act::Regrant {
                subject,
                pick,
                any_op,
            } => {
                let is_credential = |op: &&VerifiedOp| {
                    *any_op || matches!(op.body().payload, Payload::Credential(_))
                };
                let credentials: Vec<&VerifiedOp> = self.ops.iter().filter(is_credential).collect();
                let Some(op) = (!credentials.is_empty()).then(|| *pick.get(&credentials)) else {
                    return;
                };
                let named = if let Payload::Credential(it) = &op.body().payload {
                    Credential::parse(&it.jwt).ok().map(|it| it.subject)
                } else {
                    None
                };
                let subject = subject.map(|who| person(who).public).or(named);
                let subject = subject.unwrap_or(person(EDITORS[0]).public);
                Payload::Grant(payload::Grant {
                    subject,
                    credential: op.id(),
                })
            }
            Act::Pardon { pick } => {
                let equivocators = self.equivocators();
                if equivocators.is_empty() {
                    return;
                }
                let subject = *pick.get(&equivocators);
                let is_grant = |op: &&VerifiedOp| matches!(&op.body().payload, Payload::Grant(it) if it.subject == subject);
                let Some(Payload::Grant(before)) = self
                    .ops
                    .iter()
                    .rev()
                    .find(is_grant)
                    .map(|op| &op.body().payload)
                else {
                    return;
                };
                Payload::Grant(before.clone())
            }
            Act::Fork {
                width,
                depth,
                place,
                revokes,
                forgets,
            } => {
                let known = self.known[&command.actor];
                for fork in 0..*width {
                    let mut parents = self.before_last(command.actor);
                    for step in 0..=*depth {
                        let (object, field) = PLACES[*place];
                        let value = i64::try_from(fork + step).expect("there are few");
                        let payload = revokes.map_or_else(
                            || world::set(object, field, value),
                            |subject| world::revoke(subject, None, None),
                        );
                        parents = vec![self.sign(command, parents, payload)];
                    }
                }
                if *forgets {
                    self.known.insert(command.actor, known);
                }
                return;
            }
            Act::Revoke {
                subject,
                role,
                scope,
            } => world::revoke(*subject, *role, *scope),
            Act::Feud { other } => {
                self.make(command, world::revoke(*other, None, None));
                let back = Command {
                    actor: *other,
                    seen: Seen::Own,
                    ..command.clone()
                };
                self.make(&back, world::revoke(command.actor, None, None));
                return;
            }
            Act::Trust { hand, window } => hand.trusted(*window),
            Act::Distrust { hand } => hand.distrusted(),
            Act::List {
                hand,
                list,
                suspension,
                bits,
                oddity,
            } => {
                let plain = hand.list(*list, *suspension, 50, bits);
                odd(self.project, *hand, plain, *oddity)
            }
            Act::Upgrade {
                feature: (name, parameters),
            } => world::upgrade(name, parameters),
            Act::Schema { rules } => {
                let rules: Vec<_> = rules.iter().map(|rule| RULES[*rule]).collect();
                world::schema(&rules)
            }
            Act::Publish { second } => secret::reader_key(*second),
            Act::NewKey { tags, readers } => {
                let key = self.make(command, secret::key_rotate(*tags));
                let seen = Command {
                    seen: Seen::Own,
                    ..command.clone()
                };
                if !readers.is_empty() {
                    self.make(&seen, secret::key_grant(key, readers));
                }
                return;
            }
            Act::Share {
                pick,
                readers,
                any_op,
            } => {
                let parents = self.parents(command);
                let is_key = |it: &Payload| matches!(it, Payload::KeyRotate(_));
                let keys = self.seen_by(&parents, *any_op, is_key);
                if let Some(key) = some(&keys, *pick) {
                    self.sign(command, parents, secret::key_grant(key, readers));
                }
                return;
            }
            Act::Hide {
                place,
                element,
                pick,
                any_key,
            } => {
                let (object, field) = PLACES[*place];
                let parents = self.parents(command);
                let fits: fn(&Payload) -> bool = |it| matches!(it, Payload::KeyRotate(_));
                let mut keys = self.seen_by(&parents, false, fits);
                let secret = SECRETS[*place];
                let is_for_field = |key: &OpId| {
                    matches!(&self.body(*key).payload, Payload::KeyRotate(it)
                        if it.tags == world::tags(secret))
                };
                if !any_key && keys.iter().any(is_for_field) {
                    keys.retain(is_for_field);
                }
                let key = some(&keys, *pick).unwrap_or(self.project);
                let payload = secret::hidden(object, field, element.as_ref(), key);
                self.sign(command, parents, payload);
                return;
            }
            Act::Betray {
                place,
                readers,
                revoked,
                by,
                knows,
            } => {
                let (object, field) = PLACES[*place];
                let own = |actor| Command {
                    actor,
                    seen: Seen::Own,
                    ..command.clone()
                };
                let key = self.make(command, secret::key_rotate(SECRETS[*place]));
                let mut readers = readers.clone();
                readers.push(*revoked);
                self.make(&own(command.actor), secret::key_grant(key, &readers));
                let seen = Command {
                    seen: Seen::Meet(command.actor),
                    ..own(*by)
                };
                self.make(&seen, secret::hidden(object, field, None, key));
                let root = Command {
                    seen: Seen::Meet(command.actor),
                    ..own(1)
                };
                self.make(&root, world::revoke(*revoked, None, None));
                let seen = if *knows { Seen::Meet(1) } else { Seen::Own };
                let last = Command { seen, ..own(*by) };
                self.make(&last, secret::hidden(object, field, Some(&0), key));
                return;
            }
            Act::Seal => {
                self.seal(command);
                return;
            }
            Act::Settle { place, root, twice } => {
                let (object, field) = PLACES[*place];
                let parents = self.parents(command);
                for value in 0..=i64::from(*twice) {
                    let write = world::set(object, field, value);
                    self.sign(command, parents.clone(), write);
                }
                let by_root = Command {
                    actor: *root,
                    seen: Seen::Meet(command.actor),
                    clock: Clock::Right,
                    seq: Seq::Right,
                    ..command.clone()
                };
                self.make(&by_root, world::set(object, field, 2));
                let seal = self.seal(&Command {
                    seen: Seen::Own,
                    ..by_root
                });
                if self.has_quorum {
                    self.cosign(&[seal], &[(*root + 1) % 3]);
                }
                return;
            }
            Act::Rotate { subject } => {
                let revoke = self.make(command, world::revoke(*subject, None, None));
                if self.has_quorum {
                    self.cosign(&[revoke], &command.cosigners);
                }
                let command = Command {
                    seen: Seen::Meet(command.cosigners.first().copied().unwrap_or_default()),
                    ..command.clone()
                };
                self.seal(&command);
                return;
            }
            Act::Split {
                target,
                signer,
                sealed,
            } => {
                let own = |actor| Command {
                    actor,
                    seen: Seen::Own,
                    ..command.clone()
                };
                let others: Vec<u8> = [0, 1, 2, DEPUTY]
                    .into_iter()
                    .filter(|root| *root != command.actor && Some(*root) != *signer)
                    .collect();
                let denial = self.make(&own(command.actor), world::revoke(*target, None, None));
                if self.has_quorum {
                    let signers: Vec<u8> = signer.iter().copied().collect();
                    self.cosign(&[denial], &signers);
                }
                if let (true, [.., one, other]) = (*sealed, &others[..]) {
                    let seen = Seen::Meet(command.actor);
                    let seal = Command { seen, ..own(*one) };
                    let seal = self.seal(&seal);
                    self.cosign(&[seal], &[*other]);
                }
                let [one, other, ..] = others[..] else {
                    return;
                };
                let subject = signer.unwrap_or(command.actor);
                let end = self.make(&own(one), world::revoke(subject, None, None));
                self.cosign(&[end], &[other]);
                let seen = Seen::Meet(other);
                let seal = Command { seen, ..own(one) };
                let seal = self.seal(&seal);
                self.cosign(&[seal], &[other]);
                return;
            }
            Act::Rage { pick, denials } => {
                let by_actor = |op: &&OpId| self.body(**op).author == person(command.actor).public;
                let own: Vec<OpId> = self.admitted.iter().filter(by_actor).copied().collect();
                let parents = some(&own, *pick).map(|op| self.body(op).parents.clone());
                let Some(mut parents) = parents.filter(|it| !it.is_empty()) else {
                    return;
                };
                let known = self.known[&command.actor];
                for denial in denials {
                    let payload = match denial {
                        Denial::Person(subject) => world::revoke(*subject, None, None),
                        Denial::Device(what) => self.unlink(command.actor, what),
                        Denial::Hand(hand) => hand.distrusted(),
                        Denial::Bits(bits) => FIRST.list(0, false, 50, bits),
                    };
                    let op = self.sign(command, parents.clone(), payload);
                    if self.admitted.contains(&op) {
                        parents = vec![op];
                    }
                }
                // Whose key it is knows nothing of it.
                self.known.insert(command.actor, known);
                return;
            }
            Act::Cosign { pick, any_op } => {
                let parents = self.parents(command);
                let fit = self.seen_by(&parents, *any_op, is_signed_together);
                if let Some(op) = some(&fit, *pick) {
                    self.sign(command, parents, world::cosign(op));
                }
                return;
            }
            Act::Endorse {
                picks,
                any_op,
                of_denied,
            } => {
                let command = &Command {
                    seen: if *of_denied { Seen::All } else { command.seen },
                    ..command.clone()
                };
                let parents = self.parents(command);
                let fit = self.seen_by(&parents, *any_op, |it| it.target().is_some());
                let decisions = self.oracle.decisions();
                let is_denied = |op: &&OpId| matches!(decisions[*op], Decision::Denied { .. });
                let is_data = |op: &&OpId| self.body(**op).payload.target().is_some();
                let data = self.admitted.iter().filter(is_data);
                let denied: Vec<OpId> = data.filter(is_denied).copied().collect();
                let fit = if *of_denied && !denied.is_empty() {
                    denied
                } else {
                    fit
                };
                let ops: Vec<OpId> = picks.iter().filter_map(|it| some(&fit, *it)).collect();
                if !ops.is_empty() {
                    self.sign(command, parents, world::endorse(ops));
                }
                return;
            }
            Act::Link {
                person,
                device,
                proof,
            } => {
                let owner = person.unwrap_or(command.actor);
                match proof {
                    Proof::Sound => world::device(self.project, owner, *device),
                    Proof::OfAnother => world::device_with(
                        owner,
                        *device,
                        world::device_proof(self.project, owner + 1, *device),
                    ),
                    Proof::Garbage => world::device_with(owner, *device, [1; 64]),
                }
            }
            Act::Chain {
                person: owner,
                scope,
                place,
                ends,
            } => {
                let [first, second] = [DEVICES.start, DEVICES.start + 1];
                let by = |actor| Command {
                    actor,
                    seen: Seen::All,
                    ..command.clone()
                };
                let link = |project, device| world::device(project, *owner, device);
                self.make(&by(command.actor), link(self.project, first));
                let window = (60, world::FAR_MS);
                let paper = FIRST.credential(*owner, Role::Editor, *scope, window, &[]);
                let credential = self.make(&by(0), paper);
                let grant = payload::Grant {
                    subject: person(*owner).public,
                    credential,
                };
                self.make(&by(0), Payload::Grant(grant));
                self.make(&by(first), link(self.project, second));
                if *ends {
                    let seen = Command {
                        seen: Seen::Own,
                        ..by(command.actor)
                    };
                    self.make(&seen, world::device_revoke(*owner, first));
                }
                let (object, field) = PLACES[*place];
                let write = Command {
                    seen: Seen::Own,
                    ..by(second)
                };
                self.make(&write, world::set(object, field, 5));
                return;
            }
            Act::Unlink { what } => self.unlink(command.actor, what),
            Act::Unassigned { kind, content } => world::unassigned(*kind, *content),
            Act::ForeignGenesis { nonce } => {
                self.take(command.actor, world::genesis(*nonce));
                return;
            }
        };
        self.make(command, payload);
    }

    /// The end of links.
    pub(super) fn unlink(&self, actor: u8, what: &Unlinked) -> Payload {
        let (owner, device) = match what {
            Unlinked::Between(owner, device) => (owner.unwrap_or(actor), *device),
            Unlinked::Some(pick) => {
                let links = self.admitted.iter().map(|op| &self.body(*op).payload);
                let links = links.filter(|payload| matches!(payload, Payload::Device(_)));
                let links: Vec<&Payload> = links.collect();
                if !links.is_empty()
                    && let Payload::Device(link) = pick.get(&links)
                {
                    return Payload::DeviceRevoke(payload::DeviceRevoke {
                        person: link.person,
                        key: link.key,
                    });
                }
                (actor, DEVICES.start)
            }
        };
        world::device_revoke(owner, device)
    }
}

/// The document, signed again with what is odd about it.
fn odd(project: ProjectId, hand: Hand, document: Payload, oddity: Oddity) -> Payload {
    match oddity.edit(project) {
        None => document,
        Some(edit) => hand.edited(document, &[edit]),
    }
}
