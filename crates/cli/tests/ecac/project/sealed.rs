//! Beginning with what the roots have sealed, as people live with it.

use std::fs;

use ecac_artifact::exit;

use super::{Guild, Person, shop};

#[test]
fn somebody_new_begins_with_what_is_sealed() {
    let guild = Guild::found();
    let Guild { ann, ben, van, .. } = &guild;
    for status in ["open", "waits", "repaired"] {
        van.says(&["set", "motor/7", "status", status]);
    }
    guild.meet();
    let file = ann.file("for-new.sealed");
    let export = ["export", "--sealed", &file];
    ann.run(&export)
        .fails(exit::REFUSED, &["no seal is final", "ecac seal"]);
    let seal = ann.op(&["seal"]);
    ann.sends_to(ben);
    ben.says(&["cosign", &seal]);
    guild.meet();
    let told = ann.says(&export);
    assert!(told.contains("2 of them without the values"), "{told}");
    let exported = ann.json(&["export", "--sealed", &file, "--force"]);
    assert_eq!(
        (&exported["sealed"], &exported["dropped"]),
        (&true.into(), &2.into())
    );

    // Whoever gets it begins there, with an audit log of their own, and goes on with the others.
    let line = ann.says(&["invite"]);
    let new = Person::new();
    let joined = new.json(&["join", line.trim(), "--from", &file]);
    assert_eq!(joined["ops"], exported["ops"]);
    assert_eq!(new.field("motor/7", "status"), "repaired");
    assert_eq!(
        new.says(&["dump-state-json"]),
        ann.says(&["dump-state-json"])
    );
    assert_eq!(new.says(&["trust-dump"]), ann.says(&["trust-dump"]));
    assert_eq!(new.json(&["verify-store"])["dropped"], 2);
    let did = joined["did"].as_str().expect("a did");
    let role = ["--as", "nina", "--role", "editor", "--scope", "repair"];
    ann.says(&[&["add-member", did][..], &role].concat());
    ann.sends_to(&new);
    new.says(&["set", "motor/7", "status", "sold"]);
    let mail = new.file("part.cborseq");
    new.says(&["export", &mail]);
    ann.says(&["import", &mail]);
    assert_eq!(ann.field("motor/7", "status"), "sold");
    assert_eq!(new.says(&["decisions"]), ann.says(&["decisions"]));
    let verified = new.run(&["audit-verify"]);
    assert_eq!(
        verified.code,
        Some(exit::UNDECIDED.into()),
        "{}",
        verified.stderr
    );
    new.says(&["verify-store"]);
    // It carries on what it began with.
    let again = new.file("again.sealed");
    new.says(&["export", "--sealed", &again]);
    assert_eq!(
        fs::read(&again).expect("a file"),
        fs::read(&file).expect("a file")
    );
    // Whoever wants what was written over takes it from who has it, and has everything then.
    ann.sends_to(&new);
    let back = new.json(&["import", "--older", &new.file("mail.cborseq")]);
    assert_eq!((&back["regained"], &back["left"]), (&2.into(), &0.into()));
    for command in ["check", "audit-verify", "verify-store"] {
        new.run(&[command]).ok();
    }
    new.says(&["export", "--sealed", &again, "--force"]);
    assert_eq!(
        fs::read(&again).expect("a file"),
        fs::read(&file).expect("a file")
    );
}

#[test]
fn nobody_begins_with_what_was_changed_or_is_of_others() {
    let guild = Guild::found();
    let Guild { ann, ben, van, .. } = &guild;
    for status in ["open", "repaired"] {
        van.says(&["set", "motor/7", "status", status]);
    }
    guild.meet();
    let seal = ann.op(&["seal"]);
    ann.sends_to(ben);
    ben.says(&["cosign", &seal]);
    ben.sends_to(ann);
    let file = ann.file("for-new.sealed");
    ann.says(&["export", "--sealed", &file]);
    let line = ann.says(&["invite"]);
    let new = Person::new();
    let begins = |line: &str, file: &str| new.run(&["join", line.trim(), "--from", file]);
    let bytes = fs::read(&file).expect("a file");
    let mut changed = bytes.clone();
    let at = changed.len() * 3 / 4;
    changed[at] ^= 1;
    let bad = new.file("bad.sealed");
    fs::write(&bad, &changed).expect("there is room");
    let refused = begins(&line, &bad);
    let codes = [exit::VERIFICATION, exit::BAD_INPUT].map(|it| Some(it.into()));
    assert!(codes.contains(&refused.code), "{}", refused.stderr);
    fs::write(&bad, &bytes[..at]).expect("there is room");
    begins(&line, &bad).fails(exit::BAD_INPUT, &["cannot be read"]);
    let mail = ann.file("mail.cborseq");
    ann.says(&["export", &mail, "--force"]);
    begins(&line, &mail).fails(exit::BAD_INPUT, &["no carried snapshot"]);
    begins(&line, &new.file("nothing")).fails(exit::ENVIRONMENT, &["nothing"]);
    let (office, _) = shop();
    let other = office.says(&["invite"]);
    begins(&other, &file).fails(exit::BAD_INPUT, &["is of project"]);
    // Nothing of these is left in the way.
    begins(&line, &file).ok();
}
