{
  system,
  overlays ? [ ],
}:
let
  lib = import ./lib.nix;

  # A derivation that keeps what it was made of.
  make =
    name: args:
    derivation {
      inherit name system;
      builder = "/bin/sh";
    }
    // {
      inherit args;
      meta = args.meta or { };
    };

  programs = lib.genAttrs [
    "cargo-audit"
    "cargo-deny"
    "cosign"
    "git"
    "nixfmt-tree"
    "openssl"
    "pkg-config"
    "protobuf"
    "rocksdb"
  ] (name: make name { });

  base = programs // {
    stdenv.cc = make "cc" { };
    mkShell = make "shell";
    runCommand =
      name: args: script:
      make name (args // { inherit script; });
    # The text lies in the store as soon as it is evaluated, so that it can be run without a build.
    writeShellApplication = args: make args.name args // { program = builtins.toFile args.name args.text; };
    makeRustPlatform = platform: {
      buildRustPackage = args: make "${args.pname}-${args.version}" (args // { inherit platform; });
    };
  };

  # Each overlay sees the finished set and the one before it.
  final = builtins.foldl' (previous: overlay: previous // overlay final previous) base overlays;
in
final
