//! The vectors under `docs/vectors`: for every reason, every rule of the codec and of the state, and every law, files
//! whose first line is the verdict. Verdicts are written by hand beside the history or the bytes; the engine and the
//! naive oracle have to agree with them before a file is made.

mod book;
mod cases;
mod codec;
mod rules;

#[path = "../../../core/tests/wire/frames.rs"]
mod frames;
#[expect(dead_code, reason = "the tests of the core use the rest")]
#[path = "../../../core/tests/wire/hostile/mod.rs"]
mod hostile;
#[expect(dead_code, reason = "the tests of the core use the rest")]
#[path = "../../../core/tests/wire/raw.rs"]
mod raw;
#[expect(dead_code, reason = "the tests of the core use the rest")]
#[path = "../../../core/tests/wire/sample.rs"]
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ecac_core::{Costs, DenialReason, EffectCode, Kind, Op, Refusal};
use ecac_oracle::laws::Law;

use book::Vectors;

/// What writes the files.
const REWRITE: &str = "ECAC_BLESS=1 cargo test -p ecac-oracle --test vectors";

/// The directories of vectors. Others beside them are not touched.
const GROUPS: [&str; 8] = [
    "applied",
    "codec",
    "denied",
    "laws",
    "pending",
    "refused",
    "state",
    "unsupported",
];

/// What the tests make.
static GENERATED: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut vectors = Vectors::default();
    for case in cases::ALL.iter().copied().flatten() {
        case(&mut vectors);
    }
    codec::add(&mut vectors);
    vectors.0
});

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that are checked in.
#[expect(clippy::disallowed_methods, reason = "the test compares files")]
fn checked_in() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for group in GROUPS {
        let directory = repository().join("docs/vectors").join(group);
        let Ok(entries) = fs::read_dir(directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("docs/vectors is there and writable").path();
            let name = path
                .file_name()
                .expect("docs/vectors is there and writable")
                .to_string_lossy();
            let content =
                String::from_utf8(fs::read(&path).expect("docs/vectors is there and writable"))
                    .expect("docs/vectors is there and writable");
            files.insert(format!("{group}/{name}"), content);
        }
    }
    files
}

#[expect(
    clippy::disallowed_methods,
    reason = "writing is asked for by the environment"
)]
fn rewrite(vectors: &BTreeMap<String, String>) {
    let root = repository().join("docs/vectors");
    for (path, content) in vectors {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("docs/vectors is there and writable"))
            .expect("docs/vectors is there and writable");
        fs::write(path, content).expect("docs/vectors is there and writable");
    }
    for stray in checked_in()
        .keys()
        .filter(|path| !vectors.contains_key(*path))
    {
        fs::remove_file(root.join(stray)).expect("docs/vectors is there and writable");
    }
}

#[test]
fn vectors_are_current() {
    let vectors = &*GENERATED;
    for path in vectors.keys() {
        let group = path.split('/').next().unwrap();
        assert!(GROUPS.contains(&group), "{path} is in no group");
    }
    if std::env::var_os("ECAC_BLESS").is_some() {
        rewrite(vectors);
    }
    let files = checked_in();
    let paths: BTreeSet<&String> = vectors.keys().chain(files.keys()).collect();
    let faults: Vec<String> = paths
        .into_iter()
        .filter_map(|path| match (vectors.get(path), files.get(path)) {
            (Some(vector), Some(file)) if vector == file => None,
            (Some(_), Some(_)) => Some(format!("{path} differs")),
            (Some(_), None) => Some(format!("{path} is missing")),
            (None, _) => Some(format!("{path} comes from no test")),
        })
        .collect();
    assert!(
        faults.is_empty(),
        "docs/vectors is not what the tests make; `{REWRITE}` writes it:\n{}",
        faults.join("\n")
    );
}

#[test]
fn every_reason_rule_and_law_has_a_vector() {
    let vectors = &*GENERATED;
    let first: BTreeSet<&str> = vectors
        .values()
        .filter_map(|it| it.lines().next())
        .collect();
    let refused = Refusal::ALL
        .iter()
        .map(|it| format!("expect: refused {it}"));
    let denied = DenialReason::ALL
        .iter()
        .map(|it| format!("expect: denied {it}"));
    // Whether two readings of the definitions agree is asked of every file, so no file is about that. What a replica holds
    // within its limits or drops, what it offers to authors, and how it is embedded, are no matter of what a history means; what a
    // seal and a quorum keep and which keys are refused shows in the decisions, and inert features take two histories.
    let of_histories = |law: &&Law| match law {
        Law::OracleEquality
        | Law::BoundedHoldings
        | Law::OfferedParents
        | Law::EmbeddedAlike
        | Law::PrunedAlike
        | Law::SealedStands
        | Law::QuorumHolds
        | Law::SecretsKept
        | Law::FeaturesAreInert => false,
        Law::OrderFree
        | Law::Caused
        | Law::IncrementalEqualsFull
        | Law::FinalRefusals
        | Law::HarmlessCopies => true,
    };
    let laws = Law::ALL.iter().filter(of_histories);
    let laws = laws.map(|law| format!("expect: holds {law}"));
    let mut without: Vec<String> = refused
        .chain(denied)
        .chain(laws)
        .filter(|line| !first.contains(line.as_str()))
        .collect();
    let faults: BTreeSet<&str> = vectors
        .values()
        .flat_map(|it| it.lines())
        .filter_map(|line| line.strip_prefix("fault: "))
        .collect();
    let faultless = codec::FAULTS.iter().filter(|it| !faults.contains(*it));
    without.extend(faultless.map(|it| format!("fault: {it}")));
    assert!(without.is_empty(), "no vector has the line {without:#?}");
}

/// All files below a folder of the repository, as one text.
fn text_of(path: &str) -> String {
    let place = repository().join(path);
    if place.is_file() {
        return fs::read_to_string(place).expect(path);
    }
    let mut text = String::new();
    let entries = fs::read_dir(place).expect(path);
    for entry in entries {
        let name = entry.expect(path).file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".rs") || name.ends_with(".py") {
            text += &text_of(&format!("{path}/{name}"));
        }
    }
    text
}

/// Every effect stands in the table of the page, and some vector has it; a new kind of payload is in the grammar, on the
/// pages, in both oracles, in the fuzz targets, in the samples of the wire tests and in the vectors.
#[test]
fn every_kind_is_everywhere() {
    let policy = text_of("docs/policy-model.md");
    let protocol = text_of("docs/protocol.md");
    let cddl = text_of("docs/protocol.cddl");
    let sources = [
        "crates/oracle/src/naive",
        "crates/oracle/src/history",
        "crates/fuzz/src",
        "crates/core/tests/wire",
        "docs/vectors/oracle/ecac_oracle",
    ]
    .map(|path| (path, text_of(path)));
    let mut in_vectors: BTreeSet<Option<Kind>> = BTreeSet::new();
    let mut effects: BTreeSet<&str> = BTreeSet::new();
    for line in GENERATED.values().flat_map(|it| it.lines()) {
        let mut words = line.split(' ');
        match (words.next(), words.nth(1)) {
            (Some("op"), Some(_)) => {
                let envelope = words.next().and_then(|it| hex::decode(it).ok());
                let op = Op::decode(&envelope.expect("hexadecimal"), &mut Costs::default());
                in_vectors.insert(op.expect("an op").body().payload.known_kind());
            }
            (Some("effect"), Some(code)) => {
                effects.insert(code);
            }
            _ => {}
        }
    }
    let mut missing = Vec::new();
    let mut require = |there: bool, what: &str, place: &str| {
        if !there {
            missing.push(format!("{what}: {place}"));
        }
    };
    for kind in Kind::ALL {
        let (number, name) = (kind.number(), kind.name());
        let row = format!("| {number} | `{name}` |");
        require(protocol.contains(&row), name, "docs/protocol.md");
        require(
            cddl.contains(&format!("  0: {number},")),
            name,
            "docs/protocol.cddl",
        );
        require(
            policy.contains(&format!("`{name}`")),
            name,
            "docs/policy-model.md",
        );
        for (path, text) in &sources {
            let named = [
                format!("Payload::{name}("),
                format!("payload::{name} "),
                format!("\"{name}\""),
            ];
            require(named.iter().any(|it| text.contains(it)), name, path);
        }
        require(in_vectors.contains(&Some(*kind)), name, "docs/vectors");
    }
    require(
        in_vectors.contains(&None),
        "a type that is not assigned",
        "docs/vectors",
    );
    for code in EffectCode::ALL {
        let name = code.name();
        require(
            policy.contains(&format!("`{name}`")),
            name,
            "docs/policy-model.md",
        );
        require(effects.contains(name), name, "docs/vectors");
    }
    assert!(
        missing.is_empty(),
        "not everywhere:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_rule_stands_where_the_vector_says() {
    /// How a heading of a page is referred to.
    fn anchor(heading: &str) -> String {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        words.replace(' ', "-")
    }
    let mut rules: BTreeSet<String> = BTreeSet::new();
    for vector in GENERATED.values() {
        let rule = vector.lines().nth(2).unwrap().strip_prefix("rule: ");
        rules.insert(rule.unwrap().to_owned());
    }
    for rule in rules {
        let Some((page, place)) = rule.split_once('#') else {
            assert!(rule.starts_with("RFC "), "{rule}");
            continue;
        };
        let text = fs::read_to_string(repository().join(page)).expect(page);
        let stands = if page.ends_with(".md") {
            let mut headings = text.lines().filter(|line| line.starts_with('#'));
            headings.any(|heading| anchor(heading) == place)
        } else {
            text.contains(place)
        };
        assert!(stands, "{rule}");
    }
}
