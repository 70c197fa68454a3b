//! Nix itself finds that the lock is that of the flake, without a network.

use crate::support::Flake;

/// Whether nix takes the lock as it is, and what it prints.
fn metadata(flake: &Flake) -> (bool, String) {
    let ran = flake.nix(&["flake", "metadata"], "", &["--no-update-lock-file"]);
    let text = [ran.stdout, ran.stderr].concat();
    (
        ran.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn nix_takes_the_lock_as_it_is() {
    let Some(flake) = Flake::new() else { return };
    let (passes, says) = metadata(&flake);
    assert!(passes, "{says}");
    for input in ["github:NixOS/nixpkgs/", "github:oxalica/rust-overlay/"] {
        assert!(says.contains(input), "{says}");
    }
    assert!(says.contains("follows input 'nixpkgs'"), "{says}");
}

#[test]
fn nix_refuses_a_lock_of_another_flake() {
    for (file, from, to) in [
        ("flake.nix", "nixos-26.05", "nixos-unstable"),
        ("flake.nix", "oxalica/rust-overlay", "other/rust-overlay"),
        ("flake.lock", "\"ref\": \"nixos-26.05\",", ""),
        (
            "flake.lock",
            "\"rust-overlay\": \"rust-overlay\"",
            "\"a\": \"rust-overlay\"",
        ),
    ] {
        let Some(flake) = Flake::new() else { return };
        flake.change(file, from, to);
        let (passes, says) = metadata(&flake);
        assert!(!passes, "{file} with `{to}`: {says}");
    }
}
