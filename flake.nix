{
  description = "ECAC: eventually consistent access control, and the pipeline that reproduces its figures";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    rust-overlay.url = "github:oxalica/rust-overlay";
    rust-overlay.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      self,
      nixpkgs,
      rust-overlay,
    }:
    let
      inherit (nixpkgs) lib;

      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];

      perSystem = lib.genAttrs systems (
        system:
        let
          pkgs = import nixpkgs {
            inherit system;
            overlays = [ rust-overlay.overlays.default ];
          };

          # The one place that says which compiler; rustup reads the same file.
          toolchain = pkgs.rust-bin.fromRustupToolchainFile ./rust-toolchain.toml;

          rustPlatform = pkgs.makeRustPlatform {
            cargo = toolchain;
            rustc = toolchain;
          };

          workspace = {
            inherit ((lib.importTOML ./Cargo.toml).workspace.package) version;
            src = self;
            # Every crate is fetched by the SHA-256 that the lock file gives it.
            cargoLock.lockFile = ./Cargo.lock;
            # No wrapper around cargo that adds to the program; `cargo xtask sbom` says what it is built of.
            auditable = false;
          };

          ecac = rustPlatform.buildRustPackage (
            workspace
            // {
              pname = "ecac";
              cargoBuildFlags = [ "--package=ecac-cli" ];
              cargoTestFlags = [ "--package=ecac-cli" ];
              meta = {
                description = "Reads op logs, recomputes state, decisions, trust view and audit log";
                license = [
                  lib.licenses.mit
                  lib.licenses.asl20
                ];
                mainProgram = "ecac";
              };
            }
          );

          clippy = rustPlatform.buildRustPackage (
            workspace
            // {
              pname = "ecac-clippy";
              buildPhase = "cargo clippy --workspace --all-targets --locked --offline -- -D warnings";
              doCheck = false;
              installPhase = "touch $out";
            }
          );

          fmt = pkgs.runCommand "ecac-fmt" { nativeBuildInputs = [ toolchain ]; } ''
            cd ${self}
            cargo fmt --all -- --check
            touch $out
          '';

          # In the directory of the caller, so that it builds the caller's commit and writes into the caller's docs/.
          repro = pkgs.writeShellApplication {
            name = "ecac-repro";
            runtimeInputs = [
              toolchain
              pkgs.stdenv.cc
              pkgs.git
            ];
            text = ''
              top=$PWD
              until [ -z "$top" ] || { [ -f "$top/xtask/Cargo.toml" ] && [ -f "$top/.cargo/config.toml" ]; }; do
                top=''${top%/*}
              done
              if [ -z "$top" ]; then
                printf 'error: %s is not in a checkout of ECAC\n' "$PWD" >&2
                printf 'hint: clone the repository, change into it, and run the command again\n' >&2
                exit 3
              fi
              exec cargo xtask repro "$@"
            '';
          };
        in
        {
          packages = {
            inherit ecac;
            default = ecac;
          };

          apps.repro = {
            type = "app";
            program = lib.getExe repro;
            meta.description = "Rebuild the commit of this checkout and publish its artifacts";
          };

          devShells.default = pkgs.mkShell {
            nativeBuildInputs = [
              toolchain
              pkgs.cargo-audit
              pkgs.cargo-deny
              pkgs.cosign
              pkgs.git
              pkgs.pkg-config
              pkgs.protobuf
            ];
            buildInputs = [
              pkgs.openssl
              pkgs.rocksdb
            ];
            # For the feature `rocksdb`: its library, and the one that reads its header.
            ROCKSDB_LIB_DIR = "${pkgs.rocksdb}/lib";
            LIBCLANG_PATH = "${pkgs.libclang.lib}/lib";
            # nixpkgs sets it to 1980; what states a time would state that one instead of the commit's.
            shellHook = "unset SOURCE_DATE_EPOCH";
          };

          checks = { inherit ecac clippy fmt; };

          formatter = pkgs.nixfmt-tree;
        }
      );

      collect = name: lib.mapAttrs (_: outputs: outputs.${name}) perSystem;
    in
    lib.genAttrs [
      "packages"
      "apps"
      "devShells"
      "checks"
      "formatter"
    ] collect;
}
