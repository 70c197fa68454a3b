//! A program that does not know all that the project uses: who makes it so, and how to write all the same.

use std::fs;

use ecac_artifact::exit;
use ecac_core::payload::{Cosign, Upgrade};
use ecac_core::{Name, OpId, Payload, Replica, SigningKey, public_key};

use super::{MORNING_MS, Person};
use crate::run::text;

/// Three roots of whom two sign together; the first works with the program.
struct Roots {
    ann: Person,
    others: Replica,
    told: u64,
}

fn key(root: u8) -> SigningKey {
    SigningKey::from([root; 32])
}

impl Roots {
    fn found() -> Self {
        let ann = Person::new();
        let seed = ann.file("seed");
        fs::write(&seed, format!("{}\n", "01".repeat(32))).expect("a file");
        ann.says(&["key", "import", "me", &seed]);
        let [second, third] = [2, 3].map(|root| public_key(&key(root)).to_string());
        ann.says(&["init", "guild", "--root", &second, "--root", &third]);
        let all = ann.file("all.cborseq");
        ann.says(&["export", &all]);
        let all = fs::read(&all).expect("the export");
        let items = ecac_core::split_op_log(&all).expect("ops");
        let genesis = ecac_core::Op::decode(items[0], &mut ecac_core::Costs::default());
        let mut others = Replica::join(genesis.expect("the genesis").id());
        others.receive(&items);
        Self {
            ann,
            others,
            told: 0,
        }
    }

    /// Another root writes, and tells the first.
    fn write(&mut self, root: u8, payload: impl Into<Payload>) -> OpId {
        self.told += 1;
        let now_ms = MORNING_MS + 60_000 * self.told;
        let authored = self.others.author(payload, &key(root), now_ms);
        let authored = authored.expect("a root may");
        let mail = self.ann.file("mail.cborseq");
        fs::write(&mail, &authored.envelope).expect("a file");
        self.ann.now_ms.set(now_ms);
        self.ann.run(&["import", &mail]).ok();
        authored.op
    }
}

#[test]
fn one_root_leaves_nobody_behind_and_two_whoever_does_not_want_to_write_so() {
    let mut roots = Roots::found();
    let upgrade = Upgrade {
        feature: Name::new("tomorrow").expect("a name"),
        parameters: Vec::new(),
    };
    let named = roots.write(2, upgrade);
    roots.ann.run(&["set", "motor/7", "status", "a"]).quietly();
    roots.ann.run(&["can", "me", "edit", "a", "b"]).quietly();

    roots.write(3, Cosign { op: named });
    let ann = &roots.ann;
    let write = ["set", "motor/7", "status", "b"];
    ann.run(&write)
        .fails(exit::ENVIRONMENT, &["behind", "upgrade", "`--behind`"]);
    let warned = |args: &[&str]| {
        let ran = ann.run(args);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("uses \"tomorrow\", which"),
            "{}",
            ran.stderr
        );
    };
    warned(&["can", "me", "edit", "a", "b"]);
    warned(&["set", "motor/7", "status", "c", "--behind"]);
    warned(&["revoke", &ann.did(), "--preview", "--behind"]);
    let shown = text(ann.run(&["get", "motor/7", "status"]).ok());
    assert!(shown.contains("\"c\""), "{shown}");
}
