//! The seeds of the corpora: small pieces of the golden set, papers that other libraries minted, and inputs made
//! by hand.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_artifact::archive::pack;
use ecac_audit::{AuditLog, NodeKey};
use ecac_core::{Costs, Op, VerifiedOp, split_op_log};
use ecac_fuzz::{carried, history};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::scripts::{CHAIN, QUARREL, STORY, THEFT, WITHDRAWAL};

pub(crate) type Seeds = Vec<(String, Vec<u8>)>;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub(crate) fn of(target: &str) -> Seeds {
    match target {
        "op-decode" => op_decode(),
        "credential" => papers(false),
        "status-list" => status_list(),
        "op-log" => op_log(),
        "audit-log" => audit_log(),
        "sha256sums" => sums(),
        "tar" => tar(),
        "csv-differ" => csv_differ(),
        "json-differ" => json_differ(),
        "carried" => carried(),
        other => panic!("no seeds for {other}"),
    }
}

fn read(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read(root.join(path)).unwrap()
}

fn golden(name: &str) -> Vec<u8> {
    read(&format!("docs/eval/golden/{name}"))
}

pub(crate) fn named<const N: usize>(seeds: [(&str, &[u8]); N]) -> Seeds {
    seeds
        .map(|(name, data)| (name.to_owned(), data.to_vec()))
        .into()
}

fn op_decode() -> Seeds {
    let logs =
        ["hb-chain-42", "offline-revoke-42"].map(|name| golden(&format!("{name}-ops.cborseq")));
    let golden = logs
        .iter()
        .flat_map(|log| split_op_log(log).unwrap())
        .map(<[u8]>::to_vec);
    let stories = [STORY, QUARREL, CHAIN, THEFT].map(history::of);
    let told = stories.iter().flatten().map(|op| op.envelope().to_vec());
    let mut by_kind: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (source, envelope) in golden
        .map(|it| ("golden", it))
        .chain(told.map(|it| ("told", it)))
    {
        let op = Op::decode(&envelope, &mut Costs::default()).unwrap();
        let kind = op.body().payload.kind();
        if source == "told" {
            by_kind
                .entry(format!("body-{kind}"))
                .or_insert(op.body().encode().unwrap());
        }
        by_kind
            .entry(format!("{source}-{kind}"))
            .or_insert(envelope);
    }
    let envelope = by_kind["golden-SetField"].clone();
    by_kind.insert("cut".to_owned(), envelope[..envelope.len() - 1].to_vec());
    by_kind.insert("empty".to_owned(), Vec::new());
    by_kind.into_iter().collect()
}

/// The papers that other libraries minted: as lines of header and payload, and the first as they are.
fn papers(lists: bool) -> Seeds {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/foreign/fixtures");
    let mut seeds = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let fixture = fs::read_to_string(&path).unwrap();
        let (head, jwt) = fixture.split_once("\n\n").unwrap();
        if head.contains("kind: status list") != lists {
            continue;
        }
        let parts = jwt
            .trim_end()
            .split('.')
            .map(|part| URL_SAFE_NO_PAD.decode(part));
        let parts: Result<Vec<_>, _> = parts.collect();
        let data = match parts.as_deref() {
            Ok([header, payload, _]) if !name.ends_with("-credential") => {
                [header, &b"\n"[..], payload].concat()
            }
            _ => jwt.as_bytes().to_vec(),
        };
        seeds.insert(name, data);
    }
    seeds.into_iter().collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::best());
    packing.write_all(bytes).unwrap();
    packing.finish().unwrap()
}

fn status_list() -> Seeds {
    let mut seeds = papers(true);
    let two = [gzip(&[1; 16_384]), gzip(b"")].concat();
    seeds.extend(named([
        ("gzip-shortest", &gzip(&[0x81; 16_384])),
        ("gzip-short", &gzip(&[0; 16_383])),
        ("gzip-longest", &gzip(&vec![0; 1 << 20])),
        ("gzip-bomb", &gzip(&vec![0; (1 << 20) + 1])),
        ("gzip-two-members", &two),
        ("bits-shortest", b"b\x40\x00\x81"),
        ("bits-pattern", b"b\x10\x00\x01\x02\x04\x08\xff"),
        ("bits-short", b"b\x3f\xff\x00"),
    ]));
    seeds
}

fn file_of(ops: &[VerifiedOp]) -> Vec<u8> {
    ops.iter().flat_map(VerifiedOp::envelope).copied().collect()
}

fn op_log() -> Seeds {
    let mut seeds = named([
        ("story", STORY),
        ("quarrel", QUARREL),
        ("chain", CHAIN),
        ("withdrawal", WITHDRAWAL),
        ("withdrawal-by-list", &WITHDRAWAL[..WITHDRAWAL.len() - 11]),
        (
            "withdrawal-by-key",
            &[&WITHDRAWAL[..31], &WITHDRAWAL[37..42]].concat(),
        ),
        ("file-story", &file_of(&history::of(STORY))),
        ("file-quarrel", &file_of(&history::of(QUARREL))),
        ("theft", THEFT),
        ("file-theft", &file_of(&history::of(THEFT))),
        ("not-an-op", b"\xd2\x80\xd2\x80"),
        ("truncated", b"\xd2\x80\xd2"),
        ("nested", &[0xd2; 600]),
    ]);
    for scenario in ["hb-chain", "concurrent", "offline-revoke"] {
        let log = golden(&format!("{scenario}-42-ops.cborseq"));
        let items = split_op_log(&log).unwrap();
        seeds.push((scenario.to_owned(), items[..16].concat()));
    }
    seeds
}

fn audit_log() -> Seeds {
    let export = golden("audit.jsonl");
    let head = export
        .windows(8)
        .position(|it| it == b"{\"head\":")
        .unwrap();
    let length = export[head..]
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap();
    let ops = history::of(STORY);
    let items: Vec<_> = ops.iter().map(VerifiedOp::envelope).collect();
    let node = NodeKey::from_seed([0x4e; 32]);
    let story = AuditLog::of_op_log(ops[0].id(), &items, 3, &node).export();
    let viewed = br#"{"batch":0,"entry":"viewed","index":0,"object":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","viewer":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}
{"batch":0,"entry":"synced","heads":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","index":1,"peer":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}
{"head":"anything"}
"#;
    named([
        ("golden-first-batch", &export[..=head + length]),
        ("story", story.as_bytes()),
        ("story-torn", &story.as_bytes()[..story.len() - 1]),
        ("viewed", viewed),
        ("brace", b"{"),
        ("script-story", &[b"\x02\x05", STORY].concat()),
        ("script-quarrel", &[b"\x00\x80", QUARREL].concat()),
        ("script-withdrawal", &[b"\x00\x01", WITHDRAWAL].concat()),
        ("script-chain", &[b"\x07\xff", CHAIN].concat()),
        ("script-theft", &[b"\x02\x05", THEFT].concat()),
    ])
}

fn carried() -> Seeds {
    let honest = carried::honest();
    let cut = &honest[..honest.len() - 1];
    named([("honest", &honest), ("cut", cut), ("empty", b"")])
}

fn sums() -> Seeds {
    let digest = "0123456789abcdef".repeat(4);
    let mut seeds = named([("golden", &golden("SHA256SUMS")), ("empty", b"")]);
    for (name, text) in [
        ("one", format!("{digest}  a\n")),
        ("two", format!("{digest}  a\n{digest}  a.b\n")),
        ("unsorted", format!("{digest}  b\n{digest}  a\n")),
        ("twice", format!("{digest}  a\n{digest}  a\n")),
        ("binary", format!("{digest} *a\n")),
        ("escaped", format!("\\{digest}  a\\nb\n")),
        ("upper", format!("{}  a\n", digest.to_uppercase())),
        ("parent", format!("{digest}  ../a\n")),
        ("crlf", format!("{digest}  a\r\n")),
        ("blank", format!("{digest}  a\n\n")),
        ("spaces", format!("{digest}   a\n")),
        ("long", format!("{digest}  {}\n", "n".repeat(100))),
        ("no-newline", format!("{digest}  a")),
    ] {
        seeds.push((name.to_owned(), text.into_bytes()));
    }
    seeds
}

fn tar() -> Seeds {
    let files = [
        ("a", &b"contents\n"[..]),
        ("b.csv", b""),
        (
            "long-name-long-name-long-name-long-name-long-name",
            &[7; 513],
        ),
    ];
    let clean = pack(&COMMIT.parse().unwrap(), files).unwrap();
    let dirty = pack(
        &format!("{COMMIT}-dirty").parse().unwrap(),
        [("a", &b"x"[..])],
    )
    .unwrap();
    let mut seeds = named([
        ("three.tar", &clean.tar),
        ("three.tar.gz", &clean.gz),
        ("dirty.tar", &dirty.tar),
        ("fast.tar.gz", &{
            let mut packing = flate2::GzBuilder::new()
                .mtime(0)
                .operating_system(255)
                .write(Vec::new(), Compression::new(3));
            packing.write_all(&clean.tar).unwrap();
            packing.finish().unwrap()
        }),
        ("empty.tar", &[0; 1024]),
        ("not-gzip", b"\x1f\x8b\x08"),
    ]);
    let path = format!("ecac-artifacts-{COMMIT}/a");
    for (name, entry_type, path) in [
        ("symlink", tar::EntryType::Symlink, path.as_str()),
        ("link", tar::EntryType::Link, &path),
        ("directory", tar::EntryType::Directory, &path),
        ("fifo", tar::EntryType::Fifo, &path),
        ("pax", tar::EntryType::XHeader, &path),
        ("gnu-long", tar::EntryType::GNULongName, &path),
        ("sparse", tar::EntryType::GNUSparse, &path),
        ("times", tar::EntryType::Regular, &path),
        ("outside", tar::EntryType::Regular, "b/a"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(entry_type);
        header.set_path(path).unwrap();
        header.set_mode(0o644);
        header.set_mtime(1);
        header.set_size(3);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(b"abc");
        bytes.resize(2048, 0);
        seeds.push((format!("{name}.tar"), bytes));
    }
    // A path that a safe writer does not write.
    let mut parent = dirty.tar.clone();
    parent[..100].fill(0);
    parent[..5].copy_from_slice(b"../a\0");
    seeds.push(("parent.tar".to_owned(), parent));
    seeds
}

fn pair(expected: &[u8], actual: &[u8]) -> Vec<u8> {
    [expected, b"\0", actual].concat()
}

fn replaced(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

fn csv_differ() -> Seeds {
    let table = b"# about\na,b,c\n1,2,3\n4,5,6\n";
    let golden = golden("concurrent-42.csv");
    let golden: Vec<u8> = golden
        .split_inclusive(|byte| *byte == b'\n')
        .take(6)
        .flatten()
        .copied()
        .collect();
    named([
        ("golden", &pair(&golden, &replaced(&golden, "0,", "1,"))),
        ("same", &pair(table, table)),
        ("cell", &pair(table, b"# about\na,b,c\n1,2,3\n4,9,6\n")),
        ("comment", &pair(table, b"# above\na,b,c\n1,2,3\n4,5,6\n")),
        ("header", &pair(table, b"# about\na,b,d\n1,2,3\n4,5,6\n")),
        (
            "more-columns",
            &pair(table, b"# about\na,b,c\n1,2,3,9\n4,5,6\n"),
        ),
        ("fewer-rows", &pair(table, b"# about\na,b,c\n4,5,6\n")),
        (
            "quotes",
            &pair(b"a,b\n\"x\n\"\"y\",2\n", b"a,b\n\"x\n\"\"z\",2\n"),
        ),
        ("crlf", &pair(b"a,b\n1,2\n", b"a,b\r\n1,2\r\n")),
        (
            "blank-lines",
            &pair(b"a,b\n1,2\n\n3,4\n", b"a,b\n1,2\n3,4\n"),
        ),
        (
            "wide",
            &pair(
                "a\n\u{4e00}\u{301}\u{202e}\n".as_bytes(),
                "a\n\u{4e01}\u{1b}\n".as_bytes(),
            ),
        ),
        ("not-utf8", &pair(b"a\n\xff\n", b"a\n\xfe\n")),
        ("no-nul", table),
        ("empty", b""),
    ])
}

fn json_differ() -> Seeds {
    let trust = golden("trustview.json");
    let timeline = golden("offline-revoke-42-timeline.jsonl");
    let entries: Vec<u8> = timeline
        .split_inclusive(|byte| *byte == b'\n')
        .take(4)
        .flatten()
        .copied()
        .collect();
    named([
        (
            "golden-trust",
            &pair(&trust, &replaced(&trust, "root", "reader")),
        ),
        (
            "golden-timeline",
            &pair(&entries, &entries[..entries.len() - 9]),
        ),
        ("same", &pair(b"{\"a\":1}", b"{\"a\":1}")),
        (
            "value",
            &pair(b"{\"a\":{\"b\":[1,2]}}", b"{\"a\":{\"b\":[1,3]}}"),
        ),
        (
            "spelling",
            &pair(b"{\"a\":1,\"b\":2}", b"{\"b\":2,\"a\":1}"),
        ),
        (
            "numbers",
            &pair(
                b"[1.0,1e3,18446744073709551616]",
                b"[1,1000.0,18446744073709551617]",
            ),
        ),
        (
            "key",
            &pair(b"{\"a/b~c\":\"\\u0000\"}", b"{\"a/b~c\":\"\\u0001\"}"),
        ),
        (
            "tilde",
            &pair(b"{\"~1\":[0],\"~0\":1}", b"{\"~1\":[0],\"~0\":2}"),
        ),
        ("longer", &pair(b"[1,2]", b"[1,2,[[]]]")),
        ("type", &pair(b"{}", b"[]")),
        ("not-json", &pair(b"{\"a\":1}", b"{\"a\":1")),
        ("twice", &pair(b"{\"a\":1,\"a\":2}", b"{\"a\":2}")),
        (
            "lines",
            &pair(b"{\"a\":1}\n{\"a\":2}\n", b"{\"a\":1}\n{\"a\":3}\n"),
        ),
        ("line-gone", &pair(b"1\n2\n3\n", b"1\n3\n")),
        (
            "text",
            &pair(
                "\"\u{4e00}\u{1f600}\"".as_bytes(),
                "\"\u{4e01}\\ud83d\\ude01\"".as_bytes(),
            ),
        ),
        ("empty", b""),
    ])
}
