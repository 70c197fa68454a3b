//! Read control: removing a reader, sealing and opening, and replaying what is sealed.

use anyhow::{Context as _, Result, ensure};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ecac_core::payload::Revoke;
use ecac_core::{Costs, Hlc, Kem, OpId, PublicKey, Replica, Sealed, Value, VerifiedOp};
use ecac_seal::{ContentKey, Context, ReaderSecret, Writer, info, open_key};
use hpke::kem::{X25519HkdfSha256, XWing};
use xtask::host::interrupt;

use super::{Measured, Plan, begun, ps_each, take_all};
use crate::clock::{least, timed};
use crate::floor;
use crate::workload::{Office, Shape, Workload, sealed, tags};

/// Readers of whom one is removed.
const READERS: usize = 512;
/// Readers of those who are left, of whom each is measured.
const RECEIVERS: usize = 96;
/// Who hold the key of a chain of sealed writes.
const HOLDERS: usize = 8;
/// Ops of such a chain.
const OPS: usize = 100_000;
/// Times that both chains are replayed for each round of another case: their bar lies closer than two measurements of one thing do.
const REPLAYS: usize = 4;
/// Values that are sealed and opened in a round.
const VALUES: usize = 2_000;
/// Bytes of the text of each.
const VALUE_BYTES: usize = 256;

/// What removing a reader came to.
#[derive(Debug)]
pub struct Rekeyed {
    /// The root: revocation, new key, and a share of it for everybody who is left, signed.
    pub sender: Measured,
    /// A reader: from these envelopes to the new key.
    pub receiver: Measured,
}

/// Removes readers until one of 512 is.
pub fn rekey(kem: Kem, plan: &Plan) -> Result<Rekeyed> {
    let rounds = plan.rounds;
    let mut office = Office::new(plan.seed, READERS + rounds - 1, kem);
    interrupt::check()?;
    let setup = office.project.take_ops();
    let project = office.project.id();
    let root_key = *office.project.root().signer();
    let mut root = Replica::builder().places(false).threads(1).join(project);
    root.ingest(setup.iter().cloned());
    let began_ms = office.project.now_ms();
    let mut random = || office.project.bytes();
    let mut removed = Vec::new();
    let (mut sender_ns, mut receiver_ns, mut floor_ns) = (u64::MAX, u64::MAX, u64::MAX);
    for (round, now_ms) in (0..=rounds).zip(began_ms + 1..) {
        let mut written = Vec::new();
        let leaving: Option<PublicKey> = (round > 0)
            .then(|| office.readers.pop().map(|(leaving, _)| leaving.public()))
            .flatten();
        let (ns, key) = timed(|| -> Result<OpId> {
            if let Some(leaving) = leaving {
                written.push(root.author(Revoke::of(leaving), &root_key, now_ms)?);
            }
            let mut writer = Writer {
                signer: &root_key,
                opener: &office.secret,
                random: &mut random,
                now_ms,
            };
            let (key, _) = writer.rotate(&mut root, &tags(), &mut written)?;
            Ok(key)
        });
        let key = key?;
        interrupt::check()?;
        let envelopes: Vec<Vec<u8>> = written.into_iter().map(|it| it.envelope).collect();
        if round > 0 {
            sender_ns = sender_ns.min(ns);
        }
        // Only now as many are left as the case says.
        if round == rounds {
            for (reader, opener) in office.readers.iter().take(RECEIVERS) {
                let mut replica = Replica::builder().places(false).threads(1).join(project);
                replica.ingest(setup.iter().cloned());
                replica.receive(&removed);
                let (ns, opened) = timed(|| {
                    replica.receive(&envelopes);
                    open_key(&replica, opener, &reader.public(), &key)
                });
                ensure!(opened.is_ok(), "a reader who is left does not get the key");
                receiver_ns = receiver_ns.min(ns);
                let floor = receiver_floor(&replica, (opener, &reader.public()), &key, &envelopes);
                floor_ns = floor_ns.min(floor.context("open a share with the library alone")?);
                interrupt::check()?;
            }
        }
        removed.extend(envelopes);
        interrupt::check()?;
    }
    ensure!(office.readers.len() == READERS - 1, "one of 512 is removed");
    let measured = |ns| Measured {
        ops: READERS as u64,
        ps: Some(ps_each(ns, 1)),
        ..Measured::default()
    };
    Ok(Rekeyed {
        sender: measured(sender_ns),
        receiver: Measured {
            floor_ps: Some(ps_each(floor_ns, 1)),
            ..measured(receiver_ns)
        },
    })
}

/// What these envelopes and the share in them cost their reader at least.
fn receiver_floor(
    replica: &Replica,
    (opener, reader): (&ReaderSecret, &PublicKey),
    key: &OpId,
    envelopes: &[Vec<u8>],
) -> Option<u64> {
    let ops = VerifiedOp::read_batch(envelopes, 1, &mut Costs::default());
    let ops: Vec<VerifiedOp> = ops.into_iter().collect::<Result<_, _>>().ok()?;
    let share = replica.shares_for(key, reader).pop()?;
    let (secret, info) = (opener.as_bytes(), info(&replica.project(), key, reader));
    match opener.kem() {
        Kem::X25519 => floor::key_of_share::<X25519HkdfSha256>(&ops, secret, &share, &info),
        Kem::XWing => floor::key_of_share::<XWing>(&ops, secret, &share, &info),
    }
}

/// What sealing and opening a value cost, beside the bare cipher.
#[derive(Debug)]
pub struct Sealing {
    /// Sealing.
    pub seal: Measured,
    /// Opening.
    pub open: Measured,
}

/// Seals texts of 256 bytes and opens them; the bare cipher does the same with the same plaintext and additional data of the same
/// length.
pub fn sealing(plan: &Plan) -> Result<Sealing> {
    let (project, author) = (OpId::from_bytes([1; 32]), PublicKey::from_bytes([2; 32]));
    let parents = [OpId::from_bytes([3; 32])];
    let context = Context {
        project: &project,
        author: &author,
        seq: 1_000,
        parents: &parents,
        hlc: Hlc {
            physical_ms: 1_767_225_600_000,
            logical: 0,
            node: 1,
        },
        object: "staff/7",
        field: "salary",
        element: None,
    };
    let key = ContentKey::from_bytes([4; 32]);
    let value = Value::Text("x".repeat(VALUE_BYTES));
    let plain = value.encode();
    let nonces: Vec<[u8; 24]> = (0..VALUES).map(nonce).collect();
    let seal = |nonce: &[u8; 24]| key.seal(project, &value, &context, *nonce).ok();
    let sealed: Vec<Sealed> = nonces.iter().filter_map(seal).collect();
    ensure!(sealed.len() == VALUES, "a short value is sealed");
    let aad = vec![5; context_bytes(&context)];
    let bare = |nonce: &[u8; 24]| {
        let cipher = XChaCha20Poly1305::new((&[4; 32]).into());
        let payload = Payload {
            msg: &plain,
            aad: &aad,
        };
        cipher.encrypt(&XNonce::from(*nonce), payload).ok()
    };
    let ciphertexts: Vec<Vec<u8>> = nonces.iter().filter_map(bare).collect();
    let open_bare = |(nonce, ciphertext): (&[u8; 24], &Vec<u8>)| {
        let cipher = XChaCha20Poly1305::new((&[4; 32]).into());
        let payload = Payload {
            msg: ciphertext,
            aad: &aad,
        };
        cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    };
    let rounds = plan.rounds + 2;
    let measured = |ns: u64, floor_ns: u64| Measured {
        ops: VALUES as u64,
        ps: Some(ps_each(ns, VALUES)),
        floor_ps: Some(ps_each(floor_ns, VALUES)),
        ..Measured::default()
    };
    let floor = least(rounds, || nonces.iter().filter_map(bare).count());
    let sealing = least(rounds, || nonces.iter().filter_map(seal).count());
    let open_floor = least(rounds, || {
        let pairs = nonces.iter().zip(&ciphertexts);
        pairs.filter_map(open_bare).count()
    });
    let opening = least(rounds, || {
        let opened = sealed.iter().map(|it| key.open(it, &context));
        opened.filter(Result::is_ok).count()
    });
    Ok(Sealing {
        seal: measured(sealing, floor),
        open: measured(opening, open_floor),
    })
}

fn nonce(number: usize) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
    nonce
}

/// Bytes of the additional data of a value that is sealed for this place: a domain, three strings of 32 bytes, numbers, names.
fn context_bytes(context: &Context<'_>) -> usize {
    const FIXED: usize = 15 + 2 * 34 + 3 + 1 + 34 + 1 + 9 + 1 + 1 + 1;
    FIXED + context.object.len() + context.field.len() + 2
}

/// Replays a chain of sealed writes, beside the same writes in plain.
pub fn replay_sealed(plan: &Plan) -> Result<Measured> {
    let count = plan.ops(OPS);
    let mut best = [u64::MAX; 2];
    let mut plain = Workload::new(Shape::Chain, plan.seed);
    let mut hidden = sealed(plan.seed, HOLDERS);
    let mut histories = Vec::new();
    for workload in [&mut plain, &mut hidden] {
        let setup = core::mem::take(&mut workload.setup);
        let ops = super::signed(workload, count)?;
        histories.push((workload.project, setup, ops));
    }
    let (mut budget, mut stopped) = (plan.budget(), false);
    for _ in 0..plan.rounds * REPLAYS {
        for ((project, setup, ops), best) in histories.iter().zip(&mut best) {
            let mut engine = begun(*project, setup)?;
            let (taken, ns) = take_all(&mut engine, ops, &mut budget)?;
            stopped = stopped || taken < ops.len();
            *best = (*best).min(ps_each(ns, taken));
        }
        if stopped {
            break;
        }
    }
    let [floor_ps, ps] = best;
    Ok(Measured {
        ops: count as u64,
        ps: Some(ps),
        floor_ps: Some(floor_ps),
        stopped,
        ..Measured::default()
    })
}
