//! The examples of `docs/protocol.md` are true, and the tables of it and of `docs/policy-model.md` are complete.
//!
//! A block of an example follows a comment `<!-- example: NAME -->`. In blocks of bytes white space and what follows a
//! `#` do not count, in JSON only the value counts.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_core::credential::{Credential, StatusList};
use ecac_core::limits::{
    ABSENT_NAMED_MAX, AUDIENCES_MAX, ENVELOPE_BYTES_MAX, FEATURE_PARAMETERS_BYTES_MAX,
    FEATURES_MAX, JWT_BYTES_MAX, NAME_BYTES_MAX, PARENTS_MAX, PAYLOAD_BYTES_MAX, PAYLOAD_TYPE_MAX,
    RECIPIENTS_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, SEALED_BYTES_MAX, SEALED_BYTES_MIN,
    STATUS_ENTRIES_MAX, STATUS_INDEX_MAX, STATUS_LIST_BYTES_MAX, STATUS_LIST_BYTES_MIN, TAGS_MAX,
    UNASSIGNED_LEVELS_MAX,
};
use ecac_core::payload;
use ecac_core::{
    Body, Costs, DELEGATION_DEPTH_MAX, DenialReason, EffectCode, Feature, Genesis, Hlc, Kind,
    Limits, Log, Name, Op, OpId, Outcome, Payload, PublicKey, Refusal, Replay, SchemaRule,
    SigningKey, Value, VerifiedOp, export_trust, project_of, public_key, split_op_log,
    zip215_verifies,
};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

const PROTOCOL: &str = include_str!("../../../docs/protocol.md");
const POLICY_MODEL: &str = include_str!("../../../docs/policy-model.md");
const GRAMMAR: &str = include_str!("../../../docs/protocol.cddl");

/// 2026-01-01T00:00:00Z.
const START_MS: u64 = 1_767_225_600_000;
/// 2027-01-01T00:00:00Z.
const END_MS: u64 = 1_798_761_600_000;

/// The block of the example, without its fence.
fn block(name: &str) -> &'static str {
    let comment = format!("<!-- example: {name} -->\n```");
    let (_, rest) = PROTOCOL.split_once(&comment).expect(name);
    let (_, rest) = rest.split_once('\n').expect(name);
    rest.split_once("\n```").expect(name).0
}

fn bytes(name: &str) -> Vec<u8> {
    let lines = block(name).lines();
    let digits: String = lines
        .filter_map(|line| line.split('#').next())
        .flat_map(str::split_whitespace)
        .collect();
    hex::decode(digits).expect(name)
}

fn text(name: &str) -> String {
    block(name).split_whitespace().collect()
}

fn json(name: &str) -> Json {
    serde_json::from_str(block(name)).expect(name)
}

/// The last word of the line that begins with `key`.
fn value(name: &str, key: &str) -> &'static str {
    let of_key = |line: &&str| line.split_whitespace().next() == Some(key);
    let line = block(name).lines().find(of_key).expect(key);
    line.split_whitespace().last().expect(key)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn name(text: &str) -> Name {
    Name::new(text).expect("the example has good names")
}

const ROOT: u8 = 0x07;
const ROOT_2: u8 = 0x08;
const EDITOR: u8 = 0x09;
const ISSUER: u8 = 0x0a;

/// The seven ops with their names, made from what the page says in words.
fn example() -> Vec<(&'static str, VerifiedOp)> {
    let rule = SchemaRule {
        object: name("doc/*"),
        field: name("*"),
        tags: ["finance", "hr"].map(name).into(),
    };
    let genesis = Genesis {
        name: name("example"),
        nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        roots: [ROOT, ROOT_2].map(|seed| public_key(&key(seed))).into(),
        schema: [rule].into(),
        features: BTreeMap::new(),
    };
    let set_field = Payload::SetField(payload::SetField {
        object: name("doc/1"),
        field: name("title"),
        value: Value::Text("Gr\u{fc}\u{df}e".into()),
    });
    let issuer_key = Payload::IssuerKey(payload::IssuerKey {
        issuer: name("https://issuer.example"),
        kid: name("key-1"),
        public_key: public_key(&key(ISSUER)),
        valid_from_ms: START_MS,
        valid_until_ms: END_MS,
    });
    let list = Payload::StatusList(payload::StatusList {
        jwt: text("list-jwt"),
    });
    let credential = Payload::Credential(payload::Credential {
        jwt: text("credential-jwt"),
    });
    let grant = Payload::Grant(payload::Grant {
        subject: public_key(&key(EDITOR)),
        credential: value("ids", "credential")
            .parse()
            .expect("the page has op ids"),
    });
    let set_add = Payload::SetAdd(payload::SetAdd {
        object: name("doc/1"),
        field: name("labels"),
        element: name("red"),
        value: Value::Int(3),
    });
    let mut ops: Vec<(&str, VerifiedOp)> = Vec::new();
    for (what, seed, seq, payload) in [
        ("genesis", ROOT, 0, Payload::Genesis(genesis)),
        ("set-field", ROOT, 1, set_field),
        ("key", ROOT, 2, issuer_key),
        ("list", ROOT, 3, list),
        ("credential", ROOT, 4, credential),
        ("grant", ROOT, 5, grant),
        ("set-add", EDITOR, 0, set_add),
    ] {
        let body = Body {
            author: public_key(&key(seed)),
            seq,
            parents: ops.last().map(|(_, op)| op.id()).into_iter().collect(),
            hlc: Hlc {
                physical_ms: START_MS + ops.len() as u64,
                logical: 0,
                node: 9,
            },
            payload,
        };
        let op = VerifiedOp::sign(body, &key(seed)).expect("the example keeps the limits");
        ops.push((what, op));
    }
    ops
}

#[test]
fn the_bytes_of_the_example_decode_to_what_the_page_says() {
    let made = example();
    for (what, op) in &made {
        assert_eq!(op.id().to_string(), value("ids", what), "{what}");
    }
    for (what, made) in &made[..2] {
        assert_eq!(hex::encode(bytes(what)), hex::encode(made.envelope()));
        let read = Op::decode(&bytes(what), &mut Costs::default()).expect(what);
        assert_eq!((read.id(), read.body()), (made.id(), made.body()), "{what}");
        VerifiedOp::verify(read, &mut Costs::default()).expect(what);
    }
}

#[test]
fn the_signed_bytes_are_signed_and_hold_the_body() {
    let (envelope, signed) = (bytes("set-field"), bytes("set-field-signed"));
    let signature = envelope
        .last_chunk()
        .expect("an op ends with its signature");
    assert!(zip215_verifies(&public_key(&key(ROOT)), signature, &signed));
    let body = signed.last_chunk::<0x74>().expect("the body is the last");
    assert_eq!(OpId::of_body(body).to_string(), value("ids", "set-field"));
}

#[test]
fn the_keys_are_those_of_the_seeds() {
    for seed in [ROOT, ROOT_2, EDITOR, ISSUER] {
        let did: PublicKey = public_key(&key(seed));
        let cells = format!("| `{seed:02x}` | `{did}` |");
        assert!(PROTOCOL.contains(&cells), "{cells}");
    }
}

#[test]
fn the_jwts_say_what_the_page_shows() {
    let part = |jwt: &str, at: usize| -> Json {
        let part = jwt.split('.').nth(at).expect("three parts");
        let part = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&part).expect("JSON")
    };
    let jwt = text("credential-jwt");
    assert_eq!(part(&jwt, 0), json("credential-header"));
    assert_eq!(part(&jwt, 1), json("credential-payload"));
    let credential = Credential::parse(&jwt).expect("a credential");
    assert!(credential.verifies_with(&public_key(&key(ISSUER))));

    let jwt = text("list-jwt");
    assert_eq!(part(&jwt, 0), json("credential-header"));
    assert_eq!(part(&jwt, 1)["credentialSubject"], json("list-subject"));
    let list = StatusList::parse(&jwt).expect("a status list");
    assert!(list.verifies_with(&public_key(&key(ISSUER))));
    let set: Vec<u64> = (0..list.bit_count())
        .filter(|&index| list.get(index) == Some(true))
        .collect();
    assert_eq!(set, [5]);
}

#[test]
fn the_exports_follow_from_the_op_log() {
    let file: Vec<u8> = example()
        .iter()
        .flat_map(|(_, op)| op.envelope().to_vec())
        .collect();
    assert_eq!(file.len(), 3_054);
    assert_eq!(sha256(&file), value("digests", "op-log"));
    let items = split_op_log(&file).expect("an op log");
    let mut log = Log::new(project_of(&items).expect("one genesis"));
    let costs = &mut Costs::default();
    for item in items {
        let arrivals = log.receive(item, costs).expect("an op");
        assert_eq!(arrivals[0].outcome, Outcome::Admitted);
    }
    let replay = Replay::of(&log, costs);
    for decision in replay.decisions(&log).values() {
        assert_eq!(decision.verdict(), "applied");
    }
    for (what, export) in [
        ("state", replay.state().export(&log)),
        ("trust", export_trust(&log, costs)),
    ] {
        let shown = serde_json_canonicalizer::to_string(&json(what)).expect("JSON");
        assert_eq!(String::from_utf8_lossy(&export), shown, "{what}");
        assert_eq!(sha256(&export), value("digests", what), "{what}");
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    let thousands = |number: u64| {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
        groups.join(",")
    };
    let table = section(PROTOCOL, "### Limits");
    let held = Limits::default();
    let mib = |bytes: usize| (bytes >> 20) as u64;
    let longest_jwt = PAYLOAD_BYTES_MAX - 7;
    assert!(longest_jwt < JWT_BYTES_MAX);
    for (what, number) in [
        ("op (envelope)", ENVELOPE_BYTES_MAX as u64),
        ("encoded payload", PAYLOAD_BYTES_MAX as u64),
        ("JWT", longest_jwt as u64),
        ("name", NAME_BYTES_MAX as u64),
        ("parents", PARENTS_MAX as u64),
        ("tags", TAGS_MAX as u64),
        ("roots", ROOTS_MAX as u64),
        ("roots", SCHEMA_RULES_MAX as u64),
        ("features", FEATURES_MAX as u64),
        ("features", FEATURE_PARAMETERS_BYTES_MAX as u64),
        ("recipients", RECIPIENTS_MAX as u64),
        ("ciphertext", SEALED_BYTES_MAX as u64),
        ("ciphertext", SEALED_BYTES_MIN as u64),
        ("nesting", UNASSIGNED_LEVELS_MAX as u64),
        ("pending ops", held.pending_ops as u64),
        ("pending ops", mib(held.pending_bytes)),
        ("unsupported ops", held.unsupported_ops as u64),
        ("unsupported ops", mib(held.unsupported_bytes)),
        ("refused ops", held.refused_ops as u64),
        ("entries", STATUS_ENTRIES_MAX as u64),
        ("status list", STATUS_LIST_BYTES_MIN as u64),
        ("status list", STATUS_LIST_BYTES_MAX as u64),
        ("status list", STATUS_INDEX_MAX),
        ("chain of delegation", DELEGATION_DEPTH_MAX.into()),
    ] {
        let row = |line: &&str| line.starts_with(&format!("| {what}"));
        let row = table.lines().find(row).expect(what);
        let cell = row.split('|').nth(2).expect(what);
        let mut numbers = cell.split(|c: char| !c.is_ascii_digit() && c != ',');
        let wanted = thousands(number);
        assert!(
            numbers.any(|it| it.trim_matches(',') == wanted),
            "{wanted} in {row}"
        );
    }
    for (section_, sentence) in [
        (
            "## Credentials",
            format!("an array of 1 to {AUDIENCES_MAX} strings"),
        ),
        (
            "## Receiving",
            format!("names the {ABSENT_NAMED_MAX} least of them"),
        ),
        (
            "## Ops",
            format!(
                "Types {} to {}",
                Kind::ALL.len(),
                thousands(PAYLOAD_TYPE_MAX.into())
            ),
        ),
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(section(PROTOCOL, section_)).contains(&sentence),
            "{sentence}"
        );
    }
    let version = GRAMMAR
        .split("Unicode ")
        .find_map(|rest| {
            let version = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
            version
                .starts_with(|c: char| c.is_ascii_digit())
                .then_some(version)
        })
        .expect("the grammar names a version of Unicode");
    assert!(PROTOCOL.contains(&format!("Unicode {version}")));
}

/// What stands under the heading, up to the next heading of any level.
fn section(page: &'static str, heading: &str) -> &'static str {
    let (_, section) = page.split_once(&format!("\n{heading}\n")).expect(heading);
    section.split("\n#").next().expect(heading)
}

/// The cells of the rows of the table under the heading.
fn rows(page: &'static str, heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = section(page, heading).lines().filter_map(|line| {
        let row = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(row.split('|').map(str::trim).collect())
    });
    rows.skip(2)
}

fn quoted(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_tables_of_reasons_are_complete_and_in_order() {
    let listed = |heading: &str| -> Vec<&str> {
        let rows = rows(POLICY_MODEL, heading);
        rows.flat_map(|row| quoted(row[0]).next()).collect()
    };
    let refusals: Vec<&str> = Refusal::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(listed("### Refused"), refusals);
    let denials: Vec<&str> = DenialReason::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(listed("### Denied"), denials);
}

#[test]
fn the_table_of_effects_is_complete_and_says_what_counts() {
    let mut kind = None;
    let mut kinds = Vec::new();
    let mut codes = BTreeSet::new();
    for row in rows(POLICY_MODEL, "## Effects") {
        if let Some(next) = quoted(row[0]).next() {
            kinds.push(next);
            kind = Some(next);
        }
        for name in quoted(row[1]) {
            let code = EffectCode::ALL.iter().find(|it| it.name() == name);
            let code = code.unwrap_or_else(|| panic!("{name} of {kind:?} is no effect"));
            let counts = match code.counts() {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            };
            assert_eq!(row[2], counts, "{name} of {kind:?}");
            codes.insert(*code);
        }
    }
    assert_eq!(codes, EffectCode::ALL.iter().copied().collect());
    let mut with_effects: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let data = [
        "SetField",
        "SetAdd",
        "SetRemove",
        "SetFieldSealed",
        "SetAddSealed",
    ];
    with_effects.retain(|name| !data.contains(name));
    assert_eq!(kinds, with_effects);
}

#[test]
fn the_tables_of_kinds_and_features_are_complete() {
    let types = rows(PROTOCOL, "## Ops").filter(|row| row[0].parse::<u16>().is_ok());
    let types: Vec<(String, &str)> = types
        .filter_map(|row| Some((row[0].to_owned(), quoted(row[1]).next()?)))
        .collect();
    let known = Kind::ALL
        .iter()
        .map(|kind| (kind.number().to_string(), kind.name()));
    assert_eq!(types, known.collect::<Vec<_>>());

    let of = |feature: Option<Feature>| -> Vec<&str> {
        let kinds = Kind::ALL.iter().filter(|kind| kind.feature() == feature);
        kinds.map(|kind| kind.name()).collect()
    };
    let mut features: Vec<Option<Feature>> = Vec::new();
    for row in rows(POLICY_MODEL, "## Features") {
        let feature = quoted(row[0])
            .next()
            .map(|name| Feature::named(name).unwrap_or_else(|| panic!("{name} is no feature")));
        let mut kinds: Vec<&str> = quoted(row[2]).collect();
        kinds.sort_unstable_by_key(|name| Kind::ALL.iter().position(|kind| kind.name() == *name));
        assert_eq!(kinds, of(feature));
        features.push(feature);
    }
    let known = Feature::ALL.iter().copied().map(Some);
    assert_eq!(
        features,
        [None].into_iter().chain(known).collect::<Vec<_>>()
    );
    // Of each kind that needs a grant and is no data op a column of the table of roles says which.
    let (header, _) = section(POLICY_MODEL, "## Roles and actions")
        .split_once("\n|---")
        .expect("there is a table");
    for kind in Kind::ALL {
        let is_told = match kind {
            Kind::Genesis
            | Kind::SetField
            | Kind::SetAdd
            | Kind::SetRemove
            | Kind::SetFieldSealed
            | Kind::SetAddSealed => false,
            Kind::Credential
            | Kind::Grant
            | Kind::Revoke
            | Kind::IssuerKey
            | Kind::IssuerKeyRevoke
            | Kind::StatusList
            | Kind::Upgrade
            | Kind::Schema
            | Kind::Seal
            | Kind::Cosign
            | Kind::Endorse
            | Kind::Device
            | Kind::DeviceRevoke
            | Kind::ReaderKey
            | Kind::KeyRotate
            | Kind::KeyGrant => true,
        };
        let told = quoted(header).any(|name| name == kind.name());
        assert_eq!(told, is_told, "{}", kind.name());
    }
}
