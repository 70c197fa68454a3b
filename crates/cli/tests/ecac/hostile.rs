//! Texts of strangers that try to look like what they are not, in ops, files and arguments.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_artifact::exit;
use ecac_core::credential::Role;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload;
use ecac_core::{
    Genesis, OpId, Payload, SchemaRule, SigningKey, Tags, Value, VerifiedOp, public_key,
};
use serde_json::Value as Json;

use crate::fixture::{Author, START_MS, YEAR_MS, name, sequence};
use crate::run::{directory_with, ecac_fed, ecac_in, text};

/// What must never stand outside of quotation marks.
const MARK: &str = "FORGED";
/// A name that continues as if it had ended.
const NAME: &str = "doc/1\" = \"FORGED\"  FORGED \\";
/// Everything that a terminal obeys, reorders or hides: C0, DEL, C1, bidirectional controls, separators, zero width.
const CONTROLS: &str = "\u{1b}[2J\u{7}\r\n0  FORGED\t\u{7f}\u{85}\u{9b}2J\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\
    \u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{2028}FORGED\u{2029}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}";

/// A JWT whose header names one member twice, so that the fault has the name.
fn unreadable() -> String {
    let member = serde_json::json!(format!("{MARK}{CONTROLS}"));
    let header = URL_SAFE_NO_PAD.encode(format!("{{{member}:1,{member}:1}}"));
    format!("{header}.e30.{}", URL_SAFE_NO_PAD.encode([0; 64]))
}

/// One op of each kind with the name in every place where a name can be, and the controls wherever they can be.
fn ops() -> Vec<VerifiedOp> {
    let (mut root, mut editor) = (Author::new(1), Author::new(2));
    let issuer = SigningKey::from([9; 32]);
    let tag = || Tags::from([name(NAME)]);
    let genesis = Payload::Genesis(Genesis {
        name: name(NAME),
        nonce: [7; 16],
        roots: BTreeSet::from([root.public()]),
        schema: BTreeSet::from([SchemaRule {
            object: name("*"),
            field: name("*"),
            tags: tag(),
        }]),
        features: std::collections::BTreeMap::new(),
    });
    let credential = |issuer_name: &str, kid: &str, scope: &str| CredentialClaims {
        issuer: issuer_name.to_owned(),
        kid: kid.to_owned(),
        id: None,
        subject: editor.public(),
        role: Role::Editor,
        scope: BTreeSet::from([scope.to_owned(), NAME.to_owned()]),
        valid_from_ms: START_MS,
        valid_until_ms: START_MS + YEAR_MS,
        status: Vec::new(),
    };
    let url = format!("https://issuer.example/{MARK}=[]");
    let good = mint_credential(&issuer, &credential(&url, NAME, "docs"));
    let odd = mint_credential(
        &issuer,
        &credential(&format!("{url}{CONTROLS}"), CONTROLS, CONTROLS),
    );
    let subject = editor.public();
    let payloads = [
        genesis,
        Payload::IssuerKey(payload::IssuerKey {
            issuer: name(&url),
            kid: name(NAME),
            public_key: public_key(&issuer),
            valid_from_ms: START_MS,
            valid_until_ms: START_MS + YEAR_MS,
        }),
        Payload::Credential(payload::Credential { jwt: good }),
        Payload::Credential(payload::Credential { jwt: odd }),
        Payload::Credential(payload::Credential { jwt: unreadable() }),
        Payload::StatusList(payload::StatusList { jwt: unreadable() }),
    ];
    let mut ops: Vec<VerifiedOp> = Vec::new();
    let mut tick = 0;
    let mut write = |author: &mut Author, payload, ops: &mut Vec<VerifiedOp>| {
        let parents: Vec<OpId> = ops.last().map(VerifiedOp::id).into_iter().collect();
        let op = author.sign(tick, &parents, payload);
        tick += 1;
        ops.push(op);
    };
    for payload in payloads {
        write(&mut root, payload, &mut ops);
    }
    for credential in [ops[2].id(), ops[3].id(), ops[4].id()] {
        write(
            &mut root,
            Payload::Grant(payload::Grant {
                subject,
                credential,
            }),
            &mut ops,
        );
    }
    let (object, field, element) = (name(NAME), name(NAME), name(NAME));
    let value = Value::Text(CONTROLS.to_owned());
    for payload in [
        Payload::SetField(payload::SetField {
            object: object.clone(),
            field: field.clone(),
            value: value.clone(),
        }),
        Payload::SetAdd(payload::SetAdd {
            object: object.clone(),
            field: name("list"),
            element: element.clone(),
            value,
        }),
        Payload::SetRemove(payload::SetRemove {
            object,
            field: name("list"),
            element,
        }),
    ] {
        write(&mut editor, payload, &mut ops);
    }
    let revoke = Payload::Revoke(payload::Revoke {
        subject,
        role: None,
        scope: Some(tag()),
    });
    let key_revoke = Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
        issuer: name(&url),
        kid: name(NAME),
        reason: name(NAME),
    });
    write(&mut root, revoke, &mut ops);
    write(&mut root, key_revoke, &mut ops);
    ops
}

/// Whether every character prints as itself.
fn is_plain(text: &str) -> bool {
    let printable = |character: char| {
        character == '\n'
            || !(character.is_control() || CONTROLS.contains(character) && !character.is_ascii())
    };
    text.chars().all(printable)
}

/// The text without what stands between quotation marks.
fn unquoted(text: &str) -> String {
    let mut outside = String::new();
    let mut is_inside = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => is_inside = !is_inside,
            '\\' if is_inside => {
                characters.next().expect("something is escaped");
            }
            _ if is_inside => {}
            _ => outside.push(character),
        }
    }
    assert!(!is_inside, "a quotation mark is left open: {text}");
    outside
}

#[track_caller]
fn check_text(what: &str, text: &str) {
    assert!(is_plain(text), "{what}: {text:?}");
    assert!(!unquoted(text).contains(MARK), "{what}: {text}");
}

#[test]
fn no_name_reaches_the_outside_of_its_quotation_marks() {
    let ops = ops();
    let directory = directory_with("ops", &sequence(&ops));
    let at = directory.path();
    let listing = text(ecac_in(at, ["log", "ops"]).quietly());
    check_text("log", &listing);
    for kind in ops.iter().map(|op| op.body().payload.kind()) {
        assert!(listing.contains(&format!("  {kind} ")), "{kind}");
    }
    assert!(
        listing.contains("names the member \"FORGED\\u{1b}"),
        "{listing}"
    );
    let rows = listing.split("\n\n").nth(1).unwrap();
    let numbers = rows
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().next().unwrap());
    let order: Vec<String> = (0..ops.len()).map(|number| number.to_string()).collect();
    let admitted = numbers.filter(|number| *number != "-").collect::<Vec<_>>();
    assert_eq!(admitted, order[..admitted.len()]);
    assert_eq!(rows.lines().count(), ops.len() + 1);

    // Where rows are broken, quotation marks span lines; what is a cell stands where no text of an op begins.
    for width in [24, 60, 80, 120] {
        let narrow = text(ecac_in(at, ["log", "ops", "--width", &width.to_string()]).quietly());
        check_text("log --width", &narrow);
        let rows = narrow.split("\n\n").nth(1).unwrap();
        let starts = rows
            .lines()
            .skip(1)
            .filter(|line| !line.starts_with("        "));
        assert_eq!(starts.count(), ops.len(), "{narrow}");
    }

    for op in &ops {
        let id = op.id().to_string();
        let explained = text(ecac_in(at, ["explain", "ops", &id]).quietly());
        check_text("explain", &explained);
    }
    for command in ["check", "decisions"] {
        check_text(command, &text(ecac_in(at, [command, "ops"]).quietly()));
    }
    let args = ["audit-export", "ops", "--seed", "1", "--out", "audit"];
    ecac_in(at, args).quietly();
    let report = ecac_in(at, ["audit-verify", "audit", "--log", "ops"]);
    check_text("audit-verify", &text(report.ok()));
    let observed = [
        "bench",
        "observe",
        "ops",
        "--scenario",
        "hb-chain",
        "--seed",
        "1",
    ];
    check_text("observe", &text(ecac_in(at, observed).quietly()));
}

#[test]
fn json_for_machines_prints_as_it_is_and_says_everything() {
    let ops = ops();
    let directory = directory_with("ops", &sequence(&ops));
    let at = directory.path();
    let json = |args: &[&str]| -> Json {
        let stdout = text(ecac_in(at, args).quietly());
        assert!(is_plain(&stdout), "{stdout:?}");
        serde_json::from_str(&stdout).expect("one document")
    };
    let listing = json(&["log", "ops", "--json"]);
    let payloads: Vec<&Json> = listing["ops"].as_array().unwrap().iter().collect();
    let says = |member: &str, want: &str| {
        let found = payloads.iter().any(|row| row["payload"][member] == want);
        assert!(found, "no {member} {want:?}");
    };
    says("name", NAME);
    says("reason", NAME);
    says("element", NAME);
    says("value", CONTROLS);
    let grant = ops
        .iter()
        .rposition(|op| op.body().payload.kind() == "SetField");
    let id = ops[grant.unwrap()].id().to_string();
    let explained = json(&["explain", "ops", &id, "--json"]);
    assert_eq!(explained["op"], id);
    let scope = explained["grants"][0][0]["scope"].as_array().unwrap();
    assert!(scope.iter().any(|tag| tag == NAME), "{explained}");
    json(&["check", "ops", "--json"]);
}

#[test]
fn messages_escape_arguments_and_what_files_say() {
    let directory = directory_with("ops", &sequence(&ops()));
    let at = directory.path();
    let odd = format!("x{CONTROLS}");
    let check = |args: &[&str], code: u8| {
        let ran = ecac_in(at, args);
        let stderr = &ran.stderr;
        assert_eq!(ran.code, Some(code.into()), "{args:?}: {stderr}");
        assert!(is_plain(stderr), "{args:?}: {stderr:?}");
        assert!(stderr.contains("\\u{202e}"), "{args:?}: {stderr}");
        let forged = |line: &str| line.trim_start().starts_with("0  FORGED");
        assert!(!stderr.lines().any(forged), "{args:?}: {stderr}");
    };
    let flag = format!("--{odd}");
    let of_flag = format!("--limit={odd}");
    for args in [
        &[&odd[..]][..],
        &[&flag],
        &["log", "ops", &flag],
        &["log", "ops", &of_flag],
        &["log", "ops", "--limit", &odd],
        &["log", "ops", "--format", &odd],
        &["log", "ops", "--verdict", &odd],
        &["log", "ops", "--author", &odd],
        &["log", "ops", "--project", &odd],
        &["explain", "ops", &odd],
        &["bench", "list", &odd],
        &["bench", "run", "--scenario", &odd, "--seed", "1"],
        &["bench", "run", "--scenario", "hb-chain", "--seed", &odd],
        &[
            "bench",
            "run",
            "--scenario",
            "hb-chain",
            "--seed",
            "1",
            "--commit",
            &odd,
        ],
        &["audit-verify", "audit", "--log", "ops", "--node", &odd],
    ] {
        check(args, exit::USAGE);
    }
    let out = format!("{odd}/out");
    for args in [
        &["log", &odd[..]][..],
        &["check", "ops", &odd],
        &["audit-verify", &odd, "--log", "ops"],
        &["audit-export", "ops", "--node-key", &odd],
        &["decisions", "ops", "--out", &out],
        &[
            "bench",
            "run",
            "--scenario",
            "hb-chain",
            "--seed",
            "1",
            "--out",
            &out,
        ],
    ] {
        check(args, exit::ENVIRONMENT);
    }
    check(&["log", "ops", "--object", &odd], exit::NOT_FOUND);
    let header = format!("{{\"format\":{}}}\n", serde_json::json!(odd));
    fs::write(at.join("audit"), header).unwrap();
    let ran = ecac_in(at, ["audit-verify", "audit", "--log", "ops"]);
    assert_eq!(ran.code, Some(exit::BAD_INPUT.into()));
    assert!(is_plain(&ran.stderr), "{:?}", ran.stderr);
    let ran = ecac_fed(at, ["log", "-"], CONTROLS.as_bytes());
    ran.fails(exit::BAD_INPUT, &["standard input"]);
    assert!(is_plain(&ran.stderr), "{:?}", ran.stderr);
}
