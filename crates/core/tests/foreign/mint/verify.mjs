// Verifies what this project mints, with the npm libraries.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { _checkCredential as checkCredential } from '@digitalbazaar/vc';
import { BitstringStatusList, checkStatus, getCredentialStatus } from '@digitalbazaar/vc-bitstring-status-list';
import * as transmute from '@transmute/verifiable-credentials';
import { compactVerify, exportJWK, jwtVerify } from 'jose';
import { holderKey, issuerKey, KID, LIST, strangerKey } from './common.mjs';

const ours = (name) => readFileSync(new URL(`../ours/${name}.jwt`, import.meta.url), 'utf8').trimEnd();
const publicKey = createPublicKey(issuerKey.secret);
const now = new Date('2026-06-01T00:00:00Z');

async function opened(jwt) {
  const { payload, protectedHeader } = await jwtVerify(jwt, publicKey, { typ: 'vc+jwt', algorithms: ['EdDSA'], currentDate: now });
  assert.deepEqual(protectedHeader, { alg: 'EdDSA', kid: KID, typ: 'vc+jwt' });
  await assert.rejects(compactVerify(jwt, createPublicKey(strangerKey.secret)));
  checkCredential({ credential: payload, now });
  assert.throws(() => checkCredential({ credential: { ...payload, type: [] }, now }));
  return payload;
}

// jose judges the signatures, @digitalbazaar/vc the documents.
const credential = await opened(ours('credential'));
assert.deepEqual(credential.credentialSubject, { id: holderKey.did, role: 'editor', scope: ['büro', 'docs'] });
const list = await opened(ours('status-list'));
assert.equal(list.id, LIST);

// @digitalbazaar/vc-bitstring-status-list finds the entry, the list and the bit.
const entry = getCredentialStatus({ credential, statusPurpose: 'revocation' });
assert.equal(entry.statusListCredential, LIST);
const bits = await BitstringStatusList.decode(list.credentialSubject);
const set = Array.from({ length: bits.length }, (_, index) => index).filter((index) => bits.getStatus(index));
assert.deepEqual([bits.length, set], [131072, [0, 7, 8, 94567, 131071]]);
const { verified, results } = await checkStatus({
  credential,
  documentLoader: async (url) => {
    assert.equal(url, LIST);
    return { document: list };
  },
  // Its own verification is of Data Integrity proofs; `jose` has judged the signature.
  verifyBitstringStatusListCredential: false,
});
assert.equal(verified, true);
assert.deepEqual(results.map(({ status }) => status), [true]);

// @transmute/verifiable-credentials, with a resolver of one key.
const jwk = { ...await exportJWK(publicKey), alg: 'EdDSA', kid: KID };
const verifier = transmute.default.verifier({
  resolver: { resolve: async () => ({ type: 'application/jwk+json', content: transmute.text.encoder.encode(JSON.stringify(jwk)) }) },
});
for (const [name, document] of [['credential', credential], ['status-list', list]]) {
  const content = transmute.text.encoder.encode(ours(name));
  assert.deepEqual(await verifier.verify({ type: 'application/vc-ld+jwt', content }), document);
}

process.stdout.write(`credential and status list verified; bit ${entry.statusListIndex} is set\n`);
