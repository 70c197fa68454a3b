//! Which commands a history is made of, and how often.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::History;
use super::command::{
    Act, BAD_CONFIDENTIAL, BAD_QUORUM, BAD_SCHEMA, BAD_SEAL, CARRY, CONFIDENTIAL, Clock, Command,
    DEPUTY, DEVICE, DEVICES, Denial, EDITORS, ENDORSE, Feature, IDLE_CONFIDENTIAL, ISSUER_ADMINS,
    LATER, MORE_CONFIDENTIAL, NEWCOMERS, Oddity, PEOPLE, PLACES, POLICY_ADMINS, Paper, Proof,
    QUORUM, RULES, SCHEMA, SEAL, SECOND, SECRETS, STILL_LATER, Seen, Seq, THIRD, Unlinked,
};
use super::player::play;
use super::setup::setup;
use crate::world::{FAR_MS, FIRST, Hand, START_MS};

/// Histories of at most [`super::OPS_MAX`] ops.
pub fn histories() -> impl Strategy<Value = History> {
    // Features that genesis names.
    let [one, two, three] = QUORUM;
    let features = prop_oneof![
        5 => Just(Vec::new()),
        5 => Just(vec![SCHEMA]),
        2 => Just(vec![SCHEMA, LATER]),
        1 => Just(vec![LATER, BAD_QUORUM, SEAL]),
        1 => Just(vec![BAD_SCHEMA, STILL_LATER]),
        3 => Just(vec![DEVICE]),
        2 => Just(vec![SCHEMA, ENDORSE, DEVICE]),
        2 => Just(vec![two]),
        2 => Just(vec![two, SEAL]),
        2 => Just(vec![two, SEAL, CARRY]),
        4 => Just(vec![SCHEMA, two, SEAL, ENDORSE, DEVICE]),
        8 => Just(vec![SCHEMA, two, SEAL, ENDORSE, DEVICE, CARRY]),
        1 => Just(vec![one, SEAL, ENDORSE, CARRY]),
        1 => Just(vec![three, SEAL, ENDORSE, DEVICE]),
        1 => Just(vec![two, BAD_SEAL]),
        3 => Just(vec![CONFIDENTIAL]),
        2 => Just(vec![SCHEMA, CONFIDENTIAL, DEVICE]),
        1 => Just(vec![SCHEMA, two, SEAL, ENDORSE, DEVICE, CONFIDENTIAL]),
        2 => Just(vec![SCHEMA, two, SEAL, ENDORSE, DEVICE, CARRY, CONFIDENTIAL]),
        1 => Just(vec![SCHEMA, BAD_CONFIDENTIAL]),
    ];
    histories_of(features.boxed(), command().boxed())
}

/// Histories of projects with confidential fields, in which more keys are made and handed on, more is sealed and more people are put out
/// than in others.
pub fn secret_histories() -> impl Strategy<Value = History> {
    let features = prop_oneof![
        3 => Just(vec![CONFIDENTIAL]),
        2 => Just(vec![SCHEMA, CONFIDENTIAL, DEVICE]),
        2 => Just(vec![SCHEMA, QUORUM[1], SEAL, ENDORSE, DEVICE, CONFIDENTIAL]),
    ];
    let step = prop_oneof![
        2 => (policy_actor(), revoke()),
        2 => (policy_actor(), regrant()),
        1 => (link_actor(), link()),
        1 => (link_actor(), unlink()),
        2 => (reader(), any::<bool>().prop_map(|second| Act::Publish { second })),
        4 => (key_actor(), new_key()),
        4 => (key_actor(), share()),
        10 => (data_actor(), hide()),
        3 => (key_actor(), betray()),
    ];
    let secret = (command(), step).prop_map(|(command, (actor, act))| Command {
        actor,
        act,
        ..command
    });
    let commands = prop_oneof![3 => secret, 1 => command()];
    histories_of(features.boxed(), commands.boxed())
}

fn histories_of(
    features: BoxedStrategy<Vec<Feature>>,
    command: BoxedStrategy<Command>,
) -> impl Strategy<Value = History> {
    // The second issuer's key can run out in the middle of the history.
    let second_until = prop_oneof![
        3 => Just(FAR_MS),
        1 => select(&[200, 400, 600]).prop_map(|by_ms| START_MS + by_ms),
    ];
    let kept = prop::collection::vec(prop::bool::weighted(0.97), setup(FAR_MS).len());
    let commands = prop::collection::vec(command, 1..60);
    // At times nothing of any feature is used, and the same is played once more with all of them.
    let twice = prop::bool::weighted(0.15);
    (features, second_until, kept, commands, twice).prop_map(
        |(features, second_until, kept, commands, twice)| {
            let setup = commands_for(&features, setup(second_until), twice);
            let setup = setup.into_iter().zip(kept);
            let setup = setup.filter_map(|(command, kept)| kept.then_some(command));
            let fit = commands_for(&features, commands, twice);
            let commands: Vec<Command> = setup.chain(fit).collect();
            let history = play(&features, &commands);
            if twice && !history.uses_features() {
                let all = with_all(&features);
                history.with_twin(play(&all, &commands))
            } else {
                history
            }
        },
    )
}

/// The commands that make sense in a project that names the features, and some that do not; or those for which no feature
/// is needed.
fn commands_for(features: &[Feature], commands: Vec<Command>, none: bool) -> Vec<Command> {
    let upgrades = commands.iter().filter_map(|command| {
        let Act::Upgrade { feature: (name, _) } = command.act else {
            return None;
        };
        Some(name)
    });
    let named = features.iter().map(|(name, _)| *name).chain(upgrades);
    let named: BTreeSet<&str> = named.collect();
    let fits = |command: &Command| {
        let feature = command.act.feature();
        feature.is_none_or(|it| !none && (command.stray || named.contains(it)))
    };
    // Whoever signs a seal is another root, mostly.
    let signed = |command: Command| {
        let others = [(command.actor + 1) % 3, (command.actor + 2) % 3].into_iter();
        let cosigners = if none {
            Vec::new()
        } else if matches!(command.act, Act::Seal | Act::Rotate { .. }) {
            others.take(command.cosigners.len()).collect()
        } else {
            command.cosigners
        };
        Command {
            cosigners,
            ..command
        }
    };
    commands.into_iter().filter(fits).map(signed).collect()
}

/// The features, and all that can be added to them without anything being used.
fn with_all(features: &[Feature]) -> Vec<Feature> {
    let is_new = |(name, _): &Feature| !features.iter().any(|(it, _)| it == name);
    let more = [SCHEMA, SEAL, ENDORSE, DEVICE, CARRY, IDLE_CONFIDENTIAL];
    let more = more.into_iter().filter(is_new);
    features.iter().copied().chain(more).collect()
}

fn command() -> impl Strategy<Value = Command> {
    let trusted = prop_oneof![3 => Just(SECOND), 3 => any_hand(), 1 => Just(FIRST)];
    let distrusted = prop_oneof![2 => Just(SECOND), 2 => any_hand(), 1 => Just(FIRST)];
    let step = prop_oneof![
        11 => (data_actor(), data()),
        6 => (policy_actor(), hire()),
        3 => (policy_actor(), regrant()),
        2 => (policy_actor(), any::<Index>().prop_map(|pick| Act::Pardon { pick })),
        2 => (fork_actor(), fork()),
        5 => (policy_actor(), revoke()),
        1 => (policy_actor(), policy_actor().prop_map(|other| Act::Feud { other })),
        2 => (trust_actor(), (trusted, window()).prop_map(|(hand, window)| Act::Trust { hand, window })),
        1 => (trust_actor(), distrusted.prop_map(|hand| Act::Distrust { hand })),
        4 => (trust_actor(), list()),
        1 => (root_actor(), feature().prop_map(|feature| Act::Upgrade { feature })),
        2 => (root_actor(), schema()),
        3 => (0..3_u8, Just(Act::Seal)),
        4 => (0..3_u8, rotate()),
        3 => (data_actor(), settle()),
        3 => (raging(), split()),
        3 => (raging(), rage()),
        4 => (root_actor(), cosign()),
        8 => (endorser(), endorse()),
        8 => (link_actor(), link()),
        3 => (link_actor(), chain()),
        3 => (link_actor(), unlink()),
        1 => (reader(), any::<bool>().prop_map(|second| Act::Publish { second })),
        2 => (key_actor(), new_key()),
        2 => (key_actor(), share()),
        5 => (data_actor(), hide()),
        2 => (key_actor(), betray()),
        1 => (PEOPLE, unassigned()),
        1 => (PEOPLE, (1..3_u8).prop_map(|nonce| Act::ForeignGenesis { nonce })),
    ];
    let meeting = prop::bool::weighted(0.1);
    let flags = (prop::bool::weighted(0.35), prop::bool::weighted(0.05));
    let how = (seen(), clock(), seq(), flags);
    (step, how, cosigners(), meeting).prop_map(
        |((actor, act), (seen, clock, seq, (by_device, stray)), cosigners, meeting)| Command {
            actor,
            act,
            seen,
            clock,
            seq,
            by_device,
            stray,
            cosigners,
            meeting,
        },
    )
}

/// Who signs with the actor, where that makes a difference.
fn cosigners() -> impl Strategy<Value = Vec<u8>> {
    let signer = || prop_oneof![6 => 0..3_u8, 1 => Just(DEPUTY), 1 => PEOPLE];
    prop_oneof![
        3 => Just(Vec::new()),
        3 => signer().prop_map(|signer| vec![signer]),
        4 => prop::collection::vec(signer(), 2),
    ]
}

fn endorser() -> impl Strategy<Value = u8> {
    prop_oneof![2 => select(&EDITORS), 1 => select(&NEWCOMERS), 6 => 0..3_u8, 1 => PEOPLE]
}

fn link_actor() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => select(&EDITORS),
        2 => select(&NEWCOMERS),
        3 => select(&POLICY_ADMINS),
        4 => 0..3_u8,
        1 => PEOPLE,
    ]
}

fn data_actor() -> impl Strategy<Value = u8> {
    prop_oneof![9 => select(&EDITORS), 3 => select(&NEWCOMERS), 2 => 0..3_u8, 1 => PEOPLE]
}

fn policy_actor() -> impl Strategy<Value = u8> {
    prop_oneof![5 => select(&POLICY_ADMINS), 3 => 0..3_u8, 2 => Just(DEPUTY), 1 => PEOPLE]
}

fn root_actor() -> impl Strategy<Value = u8> {
    prop_oneof![5 => 0..3_u8, 2 => Just(DEPUTY), 1 => PEOPLE]
}

/// Who may mostly make keys.
fn key_actor() -> impl Strategy<Value = u8> {
    prop_oneof![6 => select(&EDITORS), 3 => 0..3_u8, 1 => select(&NEWCOMERS), 1 => PEOPLE]
}

/// Who may mostly read.
fn reader() -> impl Strategy<Value = u8> {
    prop_oneof![
        5 => select(&EDITORS),
        2 => 0..3_u8,
        1 => select(&NEWCOMERS),
        2 => DEVICES,
        1 => PEOPLE,
    ]
}

fn new_key() -> impl Strategy<Value = Act> {
    let tags = prop_oneof![6 => select(&SECRETS), 1 => 1..8_u8];
    let readers = prop::collection::vec(reader(), 0..3);
    (tags, readers).prop_map(|(tags, readers)| Act::NewKey { tags, readers })
}

fn share() -> impl Strategy<Value = Act> {
    let readers = prop::collection::vec(reader(), 1..4);
    (any::<Index>(), readers, any_op()).prop_map(|(pick, readers, any_op)| Act::Share {
        pick,
        readers,
        any_op,
    })
}

fn hide() -> impl Strategy<Value = Act> {
    let element = prop_oneof![3 => Just(None), 1 => (0..2_u8).prop_map(Some)];
    let any_key = prop::bool::weighted(0.15);
    (0..PLACES.len(), element, any::<Index>(), any_key).prop_map(
        |(place, element, pick, any_key)| Act::Hide {
            place,
            element,
            pick,
            any_key,
        },
    )
}

fn betray() -> impl Strategy<Value = Act> {
    let readers = prop::collection::vec(reader(), 0..2);
    let place = prop_oneof![3 => Just(0), 1 => 0..PLACES.len()];
    (place, readers, reader(), data_actor(), any::<bool>()).prop_map(
        |(place, readers, revoked, by, knows)| Act::Betray {
            place,
            readers,
            revoked,
            by,
            knows,
        },
    )
}

fn fork_actor() -> impl Strategy<Value = u8> {
    prop_oneof![4 => select(&EDITORS), 2 => select(&POLICY_ADMINS), 2 => 0..3_u8, 1 => PEOPLE]
}

fn trust_actor() -> impl Strategy<Value = u8> {
    prop_oneof![4 => select(&ISSUER_ADMINS), 4 => 0..3_u8, 1 => Just(DEPUTY), 1 => PEOPLE]
}

fn seen() -> impl Strategy<Value = Seen> {
    let pick = any::<Index>;
    prop_oneof![
        8 => Just(Seen::All),
        10 => Just(Seen::Own),
        4 => PEOPLE.prop_map(Seen::Meet),
        2 => pick().prop_map(Seen::Old),
        1 => pick().prop_map(Seen::Fork),
        1 => pick().prop_map(Seen::Refused),
        1 => pick().prop_map(Seen::Unsupported),
        1 => pick().prop_map(Seen::Foreign),
    ]
}

fn clock() -> impl Strategy<Value = Clock> {
    prop_oneof![
        20 => Just(Clock::Right),
        4 => Just(Clock::Backdated),
        1 => (0..500_u64).prop_map(Clock::Ahead),
        1 => any::<bool>().prop_map(Clock::Stale),
    ]
}

fn seq() -> impl Strategy<Value = Seq> {
    prop_oneof![30 => Just(Seq::Right), 1 => Just(Seq::Ahead), 1 => Just(Seq::Zero)]
}

fn settle() -> impl Strategy<Value = Act> {
    let twice = prop::bool::weighted(0.3);
    (0..PLACES.len(), 0..3_u8, twice).prop_map(|(place, root, twice)| Act::Settle {
        place,
        root,
        twice,
    })
}

fn data() -> impl Strategy<Value = Act> {
    let place = || 0..PLACES.len();
    prop_oneof![
        3 => (place(), 0..4_i64).prop_map(|(place, value)| Act::Set { place, value }),
        2 => (place(), 0..2_u8).prop_map(|(place, element)| Act::Add { place, element }),
        1 => (place(), 0..2_u8).prop_map(|(place, element)| Act::Remove { place, element }),
    ]
}

/// A hand that somebody may trust in a while, or any mixture.
fn any_hand() -> impl Strategy<Value = Hand> {
    let mixture = (0..2_u8, 0..2_u8, 0..3_u8);
    prop_oneof![
        2 => Just(THIRD),
        1 => mixture.prop_map(|(issuer, kid, key)| Hand { issuer, kid, key }),
    ]
}

fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![6 => Just(FIRST), 4 => Just(SECOND), 4 => any_hand()]
}

/// Windows of credentials and of issuer keys; some end or begin in the middle of the history, at the very time of an op,
/// as long as nobody's clock is wrong.
fn window() -> impl Strategy<Value = (u64, u64)> {
    prop_oneof![
        6 => Just((60, FAR_MS)),
        1 => Just((0, 60)),
        1 => Just((61, FAR_MS)),
        1 => (0..20_u64).prop_map(|tick| (60, START_MS + 20 * tick)),
        1 => (0..20_u64).prop_map(|tick| (START_MS + 40 * tick, FAR_MS)),
    ]
}

fn hire() -> impl Strategy<Value = Act> {
    let status = prop_oneof![
        4 => Just(Vec::new()),
        4 => select(&[0, 1, 2, 140_000]).prop_map(|index| vec![(0, false, index)]),
        1 => prop::collection::vec((0..2_u8, any::<bool>(), select(&[0, 1, 140_000])), 1..3),
    ];
    let garbage = prop_oneof![12 => Just(false), 1 => Just(true)];
    let paper = (hand(), window(), status, garbage, oddity()).prop_map(
        |(hand, window, status, garbage, oddity)| Paper {
            hand,
            window,
            status,
            garbage,
            oddity,
        },
    );
    let user = prop_oneof![4 => Just(Role::Editor), 1 => select(Role::ALL)];
    let subject = prop_oneof![2 => select(&EDITORS), 5 => select(&NEWCOMERS), 1 => PEOPLE];
    let hire_user = (subject, user, 0..8_u8);
    let hire_administrator = prop_oneof![
        (select(&POLICY_ADMINS), Just(Role::PolicyAdmin), 1..8_u8),
        (select(&ISSUER_ADMINS), Just(Role::IssuerAdmin), 0..2_u8),
        (prop_oneof![Just(DEPUTY), PEOPLE], Just(Role::Root), 0..2_u8),
    ];
    (prop_oneof![3 => hire_user, 1 => hire_administrator], paper).prop_map(
        |((subject, role, scope), paper)| Act::Hire {
            subject,
            role,
            scope,
            paper,
        },
    )
}

fn regrant() -> impl Strategy<Value = Act> {
    let subject = prop_oneof![5 => Just(None), 1 => PEOPLE.prop_map(Some)];
    let any_op = prop_oneof![9 => Just(false), 1 => Just(true)];
    (subject, any::<Index>(), any_op).prop_map(|(subject, pick, any_op)| Act::Regrant {
        subject,
        pick,
        any_op,
    })
}

fn revoke() -> impl Strategy<Value = Act> {
    let role = prop_oneof![
        4 => Just(None),
        2 => Just(Some(Role::Editor)),
        1 => select(Role::ALL).prop_map(Some),
    ];
    let scope = prop_oneof![3 => Just(None), 1 => (1..8_u8).prop_map(Some)];
    let subject = prop_oneof![1 => select(&EDITORS), 1 => select(&NEWCOMERS), 2 => PEOPLE];
    (subject, role, scope).prop_map(|(subject, role, scope)| Act::Revoke {
        subject,
        role,
        scope,
    })
}

/// Who signs two ops with one number, and what.
fn fork() -> impl Strategy<Value = Act> {
    let revokes = prop_oneof![3 => Just(None), 1 => PEOPLE.prop_map(Some)];
    let size = (1..4_usize, 0..2_usize);
    (size, 0..PLACES.len(), revokes, any::<bool>()).prop_map(
        |((width, depth), place, revokes, forgets)| Act::Fork {
            width,
            depth,
            place,
            revokes,
            forgets,
        },
    )
}

fn oddity() -> impl Strategy<Value = Oddity> {
    const ODD: &[Oddity] = &[
        Oddity::ForThisProject,
        Oddity::ForAnother,
        Oddity::ForThisAndAnother,
        Oddity::ForTwoOthers,
        Oddity::StatusClaim,
        Oddity::ManyPurposes,
    ];
    prop_oneof![5 => Just(Oddity::Nothing), 1 => select(ODD)]
}

fn feature() -> impl Strategy<Value = Feature> {
    select(&[
        SCHEMA,
        SCHEMA,
        SCHEMA,
        SEAL,
        CARRY,
        ENDORSE,
        DEVICE,
        DEVICE,
        CONFIDENTIAL,
        MORE_CONFIDENTIAL,
        BAD_CONFIDENTIAL,
        BAD_SCHEMA,
        LATER,
        STILL_LATER,
        QUORUM[1],
    ])
}

fn any_op() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.05)
}

fn cosign() -> impl Strategy<Value = Act> {
    (any::<Index>(), any_op()).prop_map(|(pick, any_op)| Act::Cosign { pick, any_op })
}

fn endorse() -> impl Strategy<Value = Act> {
    let picks = prop::collection::vec(any::<Index>(), 1..4);
    let of_denied = prop::bool::weighted(0.7);
    (picks, any_op(), of_denied).prop_map(|(picks, any_op, of_denied)| Act::Endorse {
        picks,
        any_op,
        of_denied,
    })
}

fn rotate() -> impl Strategy<Value = Act> {
    let subject =
        prop_oneof![4 => 0..3_u8, 1 => Just(DEPUTY), 2 => select(&POLICY_ADMINS), 1 => PEOPLE];
    subject.prop_map(|subject| Act::Rotate { subject })
}

fn split() -> impl Strategy<Value = Act> {
    let target = prop_oneof![2 => 0..3_u8, 2 => select(&EDITORS), 1 => PEOPLE];
    let signer = prop_oneof![2 => Just(None), 2 => Just(Some(2)), 1 => Just(Some(DEPUTY))];
    (target, signer, any::<bool>()).prop_map(|(target, signer, sealed)| Act::Split {
        target,
        signer,
        sealed,
    })
}

/// Whose key is stolen.
fn raging() -> impl Strategy<Value = u8> {
    prop_oneof![4 => 0..3_u8, 2 => Just(DEPUTY), 3 => select(&POLICY_ADMINS), 1 => PEOPLE]
}

fn rage() -> impl Strategy<Value = Act> {
    let hand = || prop_oneof![Just(FIRST), Just(SECOND)];
    let denial = prop_oneof![
        3 => select(&EDITORS).prop_map(Denial::Person),
        2 => select(&POLICY_ADMINS).prop_map(Denial::Person),
        2 => PEOPLE.prop_map(Denial::Person),
        2 => unlinked().prop_map(Denial::Device),
        1 => hand().prop_map(Denial::Hand),
        1 => prop::collection::vec(select(&[0, 1, 2]), 1..3).prop_map(Denial::Bits),
    ];
    let denials = prop::collection::vec(denial, 1..4);
    (any::<Index>(), denials).prop_map(|(pick, denials)| Act::Rage { pick, denials })
}

/// Mostly the actor, at times somebody with an office or without.
fn linked() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![
        5 => Just(None),
        2 => select(&EDITORS).prop_map(Some),
        1 => PEOPLE.prop_map(Some),
    ]
}

fn device() -> impl Strategy<Value = u8> {
    prop_oneof![12 => DEVICES, 1 => PEOPLE]
}

fn link() -> impl Strategy<Value = Act> {
    let proof = prop_oneof![
        12 => Just(Proof::Sound),
        1 => Just(Proof::OfAnother),
        1 => Just(Proof::Garbage),
    ];
    let device = prop_oneof![12 => device(), 1 => select(&EDITORS), 1 => 0..3_u8];
    (linked(), device, proof).prop_map(|(person, device, proof)| Act::Link {
        person,
        device,
        proof,
    })
}

fn chain() -> impl Strategy<Value = Act> {
    (select(&EDITORS), 1..8_u8, 0..PLACES.len(), any::<bool>()).prop_map(
        |(person, scope, place, ends)| Act::Chain {
            person,
            scope,
            place,
            ends,
        },
    )
}

fn unlink() -> impl Strategy<Value = Act> {
    unlinked().prop_map(|what| Act::Unlink { what })
}

fn unlinked() -> impl Strategy<Value = Unlinked> {
    prop_oneof![
        4 => any::<Index>().prop_map(Unlinked::Some),
        1 => (linked(), device()).prop_map(|(person, device)| Unlinked::Between(person, device)),
    ]
}

fn schema() -> impl Strategy<Value = Act> {
    let rules = prop::collection::vec(0..RULES.len(), 1..3);
    rules.prop_map(|rules| Act::Schema { rules })
}

fn unassigned() -> impl Strategy<Value = Act> {
    let kind = select(&[22, 23, 24, 300, u16::MAX]);
    (kind, 0..30_u8).prop_map(|(kind, content)| Act::Unassigned { kind, content })
}

fn list() -> impl Strategy<Value = Act> {
    let list = prop_oneof![6 => Just((0, false)), 1 => (0..2_u8, any::<bool>())];
    let bits = prop::collection::vec(select(&[0, 1, 2, 140_000]), 1..4);
    let hand = prop_oneof![4 => Just(FIRST), 1 => hand()];
    (hand, list, bits, oddity()).prop_map(|(hand, (list, suspension), bits, oddity)| Act::List {
        hand,
        list,
        suspension,
        bits,
        oddity,
    })
}
