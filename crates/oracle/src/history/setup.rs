//! The set-up: what most histories begin with.

use ecac_core::credential::Role;

use super::command::{
    Act, Clock, Command, DEPUTY, DEVICES, EDITORS, ISSUER_ADMINS, NEWCOMERS, Oddity, POLICY_ADMINS,
    Paper, Proof, SECOND, Seen, Seq,
};
use crate::world::{FAR_MS, FIRST, START_MS};

/// What a sound project begins with.
pub(super) fn setup(second_until_ms: u64) -> Vec<Command> {
    let hire_for = |actor, subject, role, scope, hand, status: &[(u8, bool, u64)], window| {
        let paper = Paper {
            hand,
            window,
            status: status.to_vec(),
            garbage: false,
            oddity: Oddity::Nothing,
        };
        (
            actor,
            Act::Hire {
                subject,
                role,
                scope,
                paper,
            },
        )
    };
    let hire = |actor, subject, role, scope, hand, status: &[(u8, bool, u64)]| {
        hire_for(actor, subject, role, scope, hand, status, (60, FAR_MS))
    };
    let link = |actor, person, device| {
        let act = Act::Link {
            person: Some(person),
            device: DEVICES.start + device,
            proof: Proof::Sound,
        };
        (actor, act)
    };
    let key = |actor, tags, readers: &[u8]| {
        let readers = readers.to_vec();
        (actor, Act::NewKey { tags, readers })
    };
    // Begins and ends in the middle of the history.
    let soon = (START_MS + 250, START_MS + 400);
    let list = Act::List {
        hand: FIRST,
        list: 0,
        suspension: false,
        bits: Vec::new(),
        oddity: Oddity::Nothing,
    };
    let acts = [
        (
            0,
            Act::Trust {
                hand: FIRST,
                window: (0, FAR_MS),
            },
        ),
        (0, list),
        hire(1, ISSUER_ADMINS[0], Role::IssuerAdmin, 0, FIRST, &[]),
        (
            ISSUER_ADMINS[0],
            Act::Trust {
                hand: SECOND,
                window: (0, second_until_ms),
            },
        ),
        hire(0, POLICY_ADMINS[0], Role::PolicyAdmin, 0b011, FIRST, &[]),
        hire(2, DEPUTY, Role::Root, 0, SECOND, &[]),
        hire(
            DEPUTY,
            POLICY_ADMINS[1],
            Role::PolicyAdmin,
            0b110,
            FIRST,
            &[],
        ),
        hire(1, EDITORS[0], Role::Editor, 0b001, FIRST, &[(0, false, 0)]),
        hire(
            POLICY_ADMINS[0],
            EDITORS[1],
            Role::Editor,
            0b011,
            SECOND,
            &[],
        ),
        hire(
            POLICY_ADMINS[1],
            EDITORS[2],
            Role::Editor,
            0b100,
            FIRST,
            &[],
        ),
        hire_for(
            2,
            NEWCOMERS[0],
            Role::Editor,
            0b111,
            FIRST,
            &[(0, false, 2)],
            soon,
        ),
        link(EDITORS[0], EDITORS[0], 0),
        link(POLICY_ADMINS[0], EDITORS[1], 1),
        link(0, 0, 2),
        key(EDITORS[0], 0b001, &[EDITORS[1], 1]),
        key(EDITORS[2], 0b100, &[EDITORS[2], 0]),
    ];
    // The deputy and the device are roots only if enough roots say so.
    let is_of_root = |act: &Act| {
        matches!(
            act,
            Act::Hire {
                role: Role::Root,
                ..
            } | Act::Link {
                person: Some(0),
                ..
            }
        )
    };
    let command = |(actor, act)| Command {
        actor,
        seen: Seen::All,
        clock: Clock::Right,
        seq: Seq::Right,
        by_device: false,
        stray: false,
        cosigners: if is_of_root(&act) {
            vec![1, 0]
        } else {
            Vec::new()
        },
        act,
        meeting: true,
    };
    acts.map(command).into()
}
