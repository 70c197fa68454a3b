//! Whether the order of arrival has a say, on logs of every kind.

use ecac_artifact::{Digest, exit};
use ecac_bench::{Params, Scenario};
use serde_json::Value as Json;

use crate::fixture::Small;
use crate::run::{directory_with, ecac_in, text};

#[test]
fn random_orders_amount_to_what_the_exports_say() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let at = directory.path();
    let digest = |command: &str| Digest::of(&ecac_in(at, [command, "ops"]).ok()).to_string();
    let want = ["decisions", "dump-state-json", "trust-dump"].map(digest);

    let args = ["check", "ops", "--shuffle", "20", "--seed", "3"];
    let shown = text(ecac_in(at, args).quietly());
    assert_eq!(
        text(ecac_in(at, args).quietly()),
        shown,
        "by the seed alone"
    );
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], format!("project {}", small.genesis.id()));
    assert_eq!(lines[1], "12 items, 9 ops; seed 3");
    let cells =
        |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let first = [&["logs"], &want.each_ref().map(|it| &it[..16])[..]].concat();
    assert_eq!(cells(lines[4]), first);
    for (number, line) in (1..=20).zip(&lines[5..]) {
        assert_eq!(cells(line), [&number.to_string(), "same", "same", "same"]);
    }
    assert_eq!(
        lines[25..],
        ["", "20 of 20 random orders amount to the same"]
    );

    for json in [&["--json"][..], &["--format", "json"]] {
        let stdout = ecac_in(at, args.iter().chain(json)).quietly();
        let document: Json = serde_json::from_slice(&stdout).unwrap();
        assert_eq!(
            (&document["seed"], &document["same"]),
            (&3.into(), &true.into())
        );
        let orders = document["orders"].as_array().unwrap();
        assert_eq!(orders.len(), 21);
        for order in orders {
            let digests = ["decisions_sha256", "state_sha256", "trust_sha256"];
            assert_eq!(digests.map(|name| order[name].as_str().unwrap()), want);
            assert_eq!(order["difference"], Json::Null);
        }
    }
}

#[test]
fn the_defaults_are_printed_and_every_scenario_passes() {
    for &scenario in Scenario::ALL {
        let params = Params {
            scenario,
            seed: 11,
            ops: 150,
        };
        let ops = ecac_bench::run(&params, "test").unwrap().ops;
        let directory = directory_with("ops", &ops);
        let shown = text(ecac_in(directory.path(), ["check", "ops"]).quietly());
        assert!(shown.contains("\n150 items, 150 ops; seed 0\n"), "{shown}");
        assert!(
            shown.ends_with("\n8 of 8 random orders amount to the same\n"),
            "{shown}"
        );
    }
}

#[test]
fn the_help_names_the_exit_code_of_a_difference() {
    let help = text(ecac_in(".".as_ref(), ["check", "--help"]).quietly());
    assert!(
        help.contains(&format!("exits with {}", exit::VERIFICATION)),
        "{help}"
    );
}
