//! Keys of confidential tags, and who was put out.

use std::collections::BTreeSet;

use ecac_core::{Costs, Log, OpId, Payload, PublicKey, Replay, Sealed, Value, VerifiedOp};

use super::law::{Breach, Law, ensure};
use super::seals::past_of;

/// Replays the past of each sealed write by itself: nobody holds its key there whose every grant a revocation has ended.
pub(super) fn check(log: &Log) -> Result<(), Breach> {
    for write in log.admitted() {
        let Some(Value::Sealed(Sealed { key, .. })) = write.body().payload.value() else {
            continue;
        };
        let past = past_of(log, &write);
        let seen: Vec<VerifiedOp> = log
            .admitted()
            .filter(|op| past.contains(&op.id()))
            .collect();
        let mut within = Log::new(log.project());
        for op in &seen {
            within.ingest(op.clone(), &mut Costs::default());
        }
        let replay = Replay::of(&within, &mut Costs::default());
        let past = Past {
            seen,
            log: within,
            replay,
        };
        for holder in past.holders(&key) {
            let grants = past.grants(&holder);
            let is_in = grants.iter().any(|(grant, to)| !past.is_ended(grant, to));
            ensure(Law::SecretsKept, is_in, || {
                format!(
                    "{} is sealed under {key}, which {holder} holds; of {grants:?} nothing is left",
                    write.id()
                )
            })?;
        }
    }
    Ok(())
}

struct Past {
    seen: Vec<VerifiedOp>,
    log: Log,
    replay: Replay,
}

impl Past {
    /// Who made the key, and whom it was given to.
    fn holders(&self, key: &OpId) -> BTreeSet<PublicKey> {
        let mut holders = BTreeSet::new();
        for op in &self.seen {
            if op.id() == *key {
                holders.insert(op.body().author);
            }
            if let Payload::KeyGrant(grant) = &op.body().payload
                && grant.key == *key
            {
                holders.extend(grant.shares.recipients());
            }
        }
        holders
    }

    /// The grants that count, to the key and to those whose device it is.
    fn grants(&self, key: &PublicKey) -> Vec<(OpId, PublicKey)> {
        let bodies = || self.seen.iter().map(|op| (op.id(), &op.body().payload));
        let mut persons = BTreeSet::from([*key]);
        for (_, payload) in bodies() {
            if let Payload::Device(device) = payload
                && device.key == *key
            {
                persons.insert(device.person);
            }
        }
        let mut grants = Vec::new();
        for (id, payload) in bodies() {
            if let Payload::Genesis(genesis) = payload {
                let roots = genesis.roots.intersection(&persons);
                grants.extend(roots.map(|root| (id, *root)));
            }
            if let Payload::Grant(grant) = payload
                && persons.contains(&grant.subject)
            {
                let effect = self.replay.effect(&self.log, &id, &mut Costs::default());
                if effect.is_some_and(|effect| !effect.code.is_void()) {
                    grants.push((id, grant.subject));
                }
            }
        }
        grants
    }

    /// Whether a revocation that counts ends the grant, which had not seen it.
    fn is_ended(&self, grant: &OpId, subject: &PublicKey) -> bool {
        let costs = &mut Costs::default();
        self.seen.iter().any(|op| {
            let id = op.id();
            let of_subject =
                matches!(&op.body().payload, Payload::Revoke(it) if it.subject == *subject);
            let had_seen = self.log.happens_before(&id, grant, costs);
            of_subject
                && had_seen == Some(false)
                && self
                    .replay
                    .effect(&self.log, &id, costs)
                    .is_some_and(|effect| {
                        effect.code.counts() == Some(true) && effect.on.contains(grant)
                    })
        })
    }
}
