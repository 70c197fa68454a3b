# Stands in for rust-overlay: a toolchain that is named as the file that it is read from says.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    {
      overlays.default = final: previous: {
        rust-bin.fromRustupToolchainFile =
          path:
          let
            file = builtins.fromTOML (builtins.readFile path);
            inherit (file.toolchain) channel components profile;
            parts = [
              "rust"
              channel
              profile
            ]
            ++ components;
          in
          derivation {
            name = builtins.concatStringsSep "-" parts;
            inherit (final.stdenv.cc) system;
            builder = "/bin/sh";
          };
      };
    };
}
