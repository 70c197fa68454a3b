// Verifies a Sigstore bundle with the library of the npm client: node verify.cjs PUBLIC_KEY BUNDLE [FILE]
//
// Exits with 0 if the bundle verifies under the key, over FILE if that is given, and with 1 and the reason if not. Of an
// envelope the library does not compare the subjects with files.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const { bundleFromJSON } = require("@sigstore/bundle");
const { toSignedEntity, Verifier } = require("@sigstore/verify");

const [keyFile, bundleFile, file] = process.argv.slice(2);
const publicKey = crypto.createPublicKey(fs.readFileSync(keyFile));
const spki = publicKey.export({ format: "der", type: "spki" });
const hint = crypto.createHash("sha256").update(spki).digest("base64");

const trust = {
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: (wanted) => {
    if (wanted !== hint) {
      throw new Error(`the bundle names another key: ${wanted}`);
    }
    return { publicKey, validFor: () => true };
  },
};

try {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile, "utf8")));
  const entity = toSignedEntity(bundle, file && fs.readFileSync(file));
  new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(entity);
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}
