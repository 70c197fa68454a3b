//! A carried snapshot of the project of the target.
//!
//! - Bytes from which a replica starts say what the root sealed, and nothing else: whoever changes them has not the root's key.
//! - A replica that has started carries the same bytes as the one whose snapshot it is.

use std::sync::LazyLock;

use ecac_core::payload::{SetAdd, SetField, SetRemove};
use ecac_core::{Genesis, OpId, Payload, Replica, Value};
use ecac_oracle::world::{START_MS, name, person};

use crate::reading::Reading;

/// The project, what its root sealed, and what that comes to.
struct Sealed {
    project: OpId,
    carried: Vec<u8>,
    state: [u8; 32],
    trust: [u8; 32],
}

static SEALED: LazyLock<Sealed> = LazyLock::new(sealed);

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let sealed = &*SEALED;
    let Ok(started) = Replica::start_from(sealed.project, data) else {
        return Reading::Refused;
    };
    assert_eq!(started.state_digest(), sealed.state);
    assert_eq!(started.trust_digest(), sealed.trust);
    assert_eq!(started.carry().as_ref(), Ok(&sealed.carried));
    Reading::Accepted
}

/// The bytes that the root's replica carries.
#[must_use]
pub fn honest() -> Vec<u8> {
    SEALED.carried.clone()
}

fn sealed() -> Sealed {
    let root = person(0);
    let genesis = Genesis {
        name: name("carried"),
        nonce: [0; 16],
        roots: [root.public].into(),
        schema: [].into(),
        features: ["carry", "seal"].map(|it| (name(it), Vec::new())).into(),
    };
    let mut replica = Replica::create(genesis, &root.secret, START_MS).expect("a sound genesis");
    let write = |value| SetField {
        object: name("doc/1"),
        field: name("title"),
        value: Value::Int(value),
    };
    let [add, remove] = [(); 2].map(|()| (name("doc/1"), name("labels"), name("red")));
    let add = SetAdd {
        object: add.0,
        field: add.1,
        element: add.2,
        value: Value::Null,
    };
    let remove = SetRemove {
        object: remove.0,
        field: remove.1,
        element: remove.2,
    };
    let payloads: [Payload; 5] = [
        write(1).into(),
        write(2).into(),
        add.into(),
        remove.into(),
        write(3).into(),
    ];
    for (now_ms, payload) in (START_MS + 1..).zip(payloads) {
        let written = replica.author(payload, &root.secret, now_ms);
        written.expect("a root may write everything");
    }
    let sealing = replica.seal(&root.secret, START_MS + 9);
    sealing.expect("a root may seal");
    Sealed {
        project: replica.project(),
        carried: replica.carry().expect("everything is sealed"),
        state: replica.state_digest(),
        trust: replica.trust_digest(),
    }
}
