rec {
  inherit (builtins) mapAttrs;
  genAttrs =
    names: f:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  getExe = package: package.program;
  licenses = genAttrs [ "mit" "asl20" ] (spdxId: { inherit spdxId; });
}
