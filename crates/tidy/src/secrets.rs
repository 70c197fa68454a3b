//! No key and no database in git.
//!
//! Raw keys and databases are no text, which `contents` reports; here is what text or a name gives away.

use super::{Breach, Files, check, keeps, numbered};

/// The end of the line that a PEM private key begins with, whatever its kind.
const KEY_HEADER: &str = concat!("PRIVATE KEY", "-----");

/// The extensions of keys and databases.
const EXTENSIONS: [&str; 17] = [
    "age", "db", "env", "gpg", "jks", "kdbx", "key", "ldb", "mdb", "p12", "pem", "pfx", "ppk",
    "redb", "sqlite", "sqlite3", "sst",
];

/// The names that ssh gives private keys.
const NAMES: [&str; 3] = ["id_ecdsa", "id_ed25519", "id_rsa"];

fn secrets(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files.iter() {
        if EXTENSIONS.contains(&file.extension()) || NAMES.contains(&file.name()) {
            let what = "named like a key or a database; remove it, or give test data another name";
            breaches.push(Breach::new(file, 1, what));
        }
        for (number, _) in numbered(file.text()).filter(|(_, line)| line.contains(KEY_HEADER)) {
            let what = "a private key; remove it from the history and replace it where it is used";
            breaches.push(Breach::new(file, number, what));
        }
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(secrets);
}

#[test]
fn breaches_are_found() {
    let private = format!("text\n-----BEGIN ENCRYPTED {KEY_HEADER}\n");
    check(
        secrets,
        &[
            ("a/.env", ""),
            ("b.txt", &private),
            ("c.txt", "-----BEGIN PUBLIC KEY-----\n"),
            ("d/id_rsa", ""),
            ("e/node.db", ""),
            ("keys.rs", ""),
        ],
        &[
            "a/.env:1: named like",
            "b.txt:2: a private key",
            "d/id_rsa:1: named like",
            "e/node.db:1: named like",
        ],
    );
}
