//! Meeting in a folder: `ecac sync`.

use std::fs;
use std::path::{Path, PathBuf};

use ecac_artifact::exit;

use super::{Guild, Person, shop};

/// A folder that is nobody's.
struct Stick(tempfile::TempDir);

impl Stick {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a directory"))
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("a path of text")
    }

    /// The files in it.
    fn packs(&self) -> Vec<PathBuf> {
        let directories = fs::read_dir(self.0.path()).expect("a folder");
        let directories = directories.map(|it| it.expect("an entry").path());
        let packs = directories.filter(|it| it.to_string_lossy().contains("packs-"));
        let files = packs.flat_map(|it| fs::read_dir(it).expect("a folder"));
        files.map(|it| it.expect("an entry").path()).collect()
    }
}

fn digest(person: &Person) -> serde_json::Value {
    person.json(&["verify-store"])["state"].clone()
}

#[test]
fn what_was_dropped_comes_back_from_the_folder() {
    let guild = Guild::found();
    guild.seals_three_writes();
    let (van, stick) = (&guild.van, Stick::new());
    van.says(&["sync", stick.path()]);
    let told = van.says(&["sync", stick.path(), "--older"]);
    assert!(
        told.ends_with("nothing is dropped here: every op has its value\n"),
        "{told}"
    );
    van.says(&["prune", "--yes"]);
    assert!(!van.says(&["sync", stick.path()]).contains("dropped"));
    assert_eq!(van.json(&["verify-store"])["dropped"], 2);
    let back = van.json(&["sync", stick.path(), "--older"]);
    super::documented(&back, "ecac-sync-v1");
    let want = serde_json::json!({"dropped": 2, "regained": 2, "left": 0, "packs_read": 1});
    assert_eq!(back["older"], want, "{back}");
    assert_eq!(van.json(&["verify-store"])["dropped"], 0);
    for command in ["check", "audit-verify"] {
        van.run(&[command]).ok();
    }
    // What is not there does not come.
    van.says(&["prune", "--yes"]);
    let told = van.says(&["sync", Stick::new().path(), "--older"]);
    assert!(
        told.contains("0 of 2 ops") && told.contains("2 are not there"),
        "{told}"
    );
}

#[test]
fn people_who_never_meet_agree_through_a_folder() {
    let (office, van) = shop();
    let stick = Stick::new();
    van.says(&["set", "motor/7", "status", "disassembled"]);
    let put = van.json(&["sync", stick.path()]);
    assert_eq!(put["mailbox"]["packs_put"], 1, "{put}");
    let came = office.json(&["sync", stick.path()]);
    assert_eq!(came["counts"]["applied"], 1, "{came}");
    assert_eq!(came["changes"][0]["after"], "disassembled", "{came}");
    assert_eq!(digest(&office), digest(&van));

    // Nothing is read or put twice.
    for person in [&office, &van, &office] {
        let nothing = person.json(&["sync", stick.path()]);
        let mailbox = &nothing["mailbox"];
        assert_eq!(mailbox["ops_put"], 0, "{nothing}");
        assert_eq!(mailbox["bad_packs"], 0, "{nothing}");
    }
    let nothing = office.json(&["sync", stick.path()]);
    assert_eq!(nothing["mailbox"]["packs_read"], 0, "{nothing}");
    assert!(
        office
            .says(&["sync", stick.path()])
            .contains("nothing came")
    );

    // What is taken back is told, with what shows then.
    van.says(&["set", "motor/7", "status", "repaired"]);
    office.says(&["revoke", "tom", "--yes"]);
    office.says(&["sync", stick.path()]);
    let told = van.says(&["sync", stick.path()]);
    assert!(told.contains("1 rolled back"), "{told}");
    assert!(told.contains("disassembled"), "{told}");
    office.says(&["sync", stick.path()]);
    assert_eq!(digest(&office), digest(&van));
    let file = van.file("all.cborseq");
    van.says(&["export", &file]);
    van.again(&["audit-verify", ".ecac/audit", "--log", &file])
        .ok();
}

#[test]
fn a_folder_that_lies_delays_and_deceives_nobody() {
    let (office, van) = shop();
    let stick = Stick::new();
    van.says(&["set", "motor/7", "status", "repaired"]);
    let harms: [&dyn Fn(&Path); 3] = [
        &|pack| fs::write(pack, b"ECACPK1\nnothing").expect("a file"),
        &|pack| {
            let bytes = fs::read(pack).expect("a file");
            fs::write(pack, &bytes[..bytes.len() / 3]).expect("a file");
        },
        &|pack| fs::remove_file(pack).expect("a file"),
    ];
    for harm in harms {
        van.says(&["sync", stick.path()]);
        stick.packs().iter().for_each(|pack| harm(pack));
        let came = office.json(&["sync", stick.path()]);
        assert_eq!(came["counts"].get("applied"), None, "{came}");
        assert!(came["mailbox"]["bad_packs"].as_u64() > Some(0), "{came}");
    }
    van.says(&["sync", stick.path()]);
    let came = office.json(&["sync", stick.path()]);
    assert_eq!(came["counts"]["applied"], 1, "{came}");
    assert_eq!(digest(&office), digest(&van));
}

#[test]
fn a_folder_has_to_be_there() {
    let (office, _) = shop();
    let missing = office.file("stick");
    office
        .run(&["sync", &missing])
        .fails(exit::ENVIRONMENT, &["plug the stick in"]);
    let file = office.file("work/file");
    fs::write(&file, b"").expect("a file");
    office
        .run(&["sync", &file])
        .fails(exit::BAD_INPUT, &["it is no folder"]);
}

#[test]
fn an_address_is_never_a_folder_and_a_key_in_it_is_not_told() {
    let (office, _) = shop();
    for bad in [
        "s3://shop-key:not-to-be-told@shop",
        "s3://shop/mail?token=not-to-be-told",
        "https://not-to-be-told.example/shop",
    ] {
        let failed = office.run(&["sync", bad]);
        failed.fails(exit::USAGE, &["s3://BUCKET/PATH", "environment"]);
        assert!(!failed.stderr.contains("not-to-be-told"), "{bad}");
    }
}

#[cfg(not(feature = "cloud"))]
#[test]
fn a_program_without_object_storage_says_so() {
    let (office, _) = shop();
    for address in ["s3://shop/mail", "gs://shop", "az://shop/mail/2026"] {
        office.run(&["sync", address]).fails(
            exit::ENVIRONMENT,
            &[address, "built without object storage", "--features cloud"],
        );
    }
}
