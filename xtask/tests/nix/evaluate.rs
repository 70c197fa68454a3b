//! What the flake gives on each system, as nix evaluates it with the stubs.

use serde_json::{Value, json};

use crate::support::Flake;

const SYSTEMS: [&str; 4] = [
    "aarch64-darwin",
    "aarch64-linux",
    "x86_64-darwin",
    "x86_64-linux",
];

/// The compiler as the stub of rust-overlay names it: release, profile, components.
const TOOLCHAIN: &str = "rust-1.95.0-minimal-clippy-rustfmt";

/// The tools of the shell: those that run, and those that are linked to.
const TOOLS: &str =
    "shells: builtins.mapAttrs (_: shells: let inherit (shells.default) args system; in {
    inherit system;
    hook = args.shellHook;
    runs = map (tool: tool.name) args.nativeBuildInputs;
    links = map (tool: tool.name) args.buildInputs;
    systems = map (tool: tool.system == system) (args.nativeBuildInputs ++ args.buildInputs);
}) shells";

/// The same on each of the systems, but for what names the system.
#[track_caller]
fn check(output: &str, function: &str, expected: impl Fn(&str) -> Value) {
    let Some(flake) = Flake::new() else { return };
    let found = flake.apply(output, function).unwrap();
    let expected: Value = SYSTEMS
        .iter()
        .map(|system| ((*system).to_owned(), expected(system)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(found, expected, "{found:#}");
}

fn shell(system: &str) -> Value {
    json!({
        "system": system,
        "hook": "unset SOURCE_DATE_EPOCH",
        "runs": [TOOLCHAIN, "cargo-audit", "cargo-deny", "cosign", "git", "pkg-config", "protobuf"],
        "links": ["openssl", "rocksdb"],
        "systems": [true, true, true, true, true, true, true, true, true],
    })
}

#[test]
fn the_shell_has_what_is_promised_and_nothing_else() {
    check("devShells", TOOLS, shell);
}

#[test]
fn a_change_of_the_shell_is_seen() {
    for (file, from, to) in [
        ("flake.nix", "              pkgs.cosign\n", ""),
        ("flake.nix", "pkgs.rocksdb", "pkgs.openssl"),
        ("flake.nix", "\"aarch64-darwin\"", ""),
        ("flake.nix", "pkgs.protobuf", "pkgs.no-such-tool"),
        ("rust-toolchain.toml", "1.95.0", "1.94.0"),
        ("rust-toolchain.toml", ", \"rustfmt\"", ""),
    ] {
        let Some(flake) = Flake::new() else { return };
        flake.change(file, from, to);
        let found = flake.apply("devShells", TOOLS);
        let expected = SYSTEMS.map(|system| (system.to_owned(), shell(system)));
        let expected = Value::from(serde_json::Map::from_iter(expected));
        assert_ne!(found, Ok(expected), "{file} without `{from}`");
    }
}

#[test]
fn the_package_is_the_program_built_by_that_compiler() {
    const PACKAGES: &str =
        "packages: builtins.mapAttrs (_: these: let inherit (these.ecac) args; in {
        inherit (these.ecac) name system;
        inherit (args) cargoBuildFlags cargoTestFlags auditable;
        is-default = these.default.drvPath == these.ecac.drvPath;
        platform = map (tool: tool.name) [ args.platform.cargo args.platform.rustc ];
        lock = baseNameOf args.cargoLock.lockFile;
        locks = (builtins.fromTOML (builtins.readFile args.cargoLock.lockFile)).version;
    }) packages";
    check("packages", PACKAGES, |system| {
        json!({
            "name": concat!("ecac-", env!("CARGO_PKG_VERSION")),
            "system": system,
            "cargoBuildFlags": ["--package=ecac-cli"],
            "cargoTestFlags": ["--package=ecac-cli"],
            "auditable": false,
            "is-default": true,
            "platform": [TOOLCHAIN, TOOLCHAIN],
            "lock": "Cargo.lock",
            "locks": 4,
        })
    });
}

#[test]
fn the_checks_are_evaluated() {
    const CHECKS: &str =
        "checks: builtins.mapAttrs (_: builtins.mapAttrs (_: check: check.name)) checks";
    check("checks", CHECKS, |_| {
        json!({
            "clippy": concat!("ecac-clippy-", env!("CARGO_PKG_VERSION")),
            "ecac": concat!("ecac-", env!("CARGO_PKG_VERSION")),
            "fmt": "ecac-fmt",
        })
    });
}

#[test]
fn the_app_and_the_formatter_are_evaluated() {
    const APPS: &str = "builtins.mapAttrs (_: builtins.mapAttrs (_: app: app.type))";
    check("apps", APPS, |_| json!({ "repro": "app" }));
    const FORMATTERS: &str = "builtins.mapAttrs (_: formatter: formatter.name)";
    check("formatter", FORMATTERS, |_| json!("nixfmt-tree"));
}

#[test]
fn nix_finds_every_output_well_formed() {
    let Some(flake) = Flake::new() else { return };
    let passes = || {
        let ran = flake.with_stubs(&["flake", "check"], "", &["--no-build"]);
        let says = String::from_utf8_lossy(&ran.stderr).into_owned();
        (ran.status.success(), says)
    };
    let (is_good, says) = passes();
    assert!(is_good, "{says}");
    flake.change("flake.nix", "inherit ecac clippy fmt;", "ecac = 1;");
    let (is_good, says) = passes();
    assert!(!is_good, "{says}");
}
