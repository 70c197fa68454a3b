// Test keys, dates and the form of a fixture, for the scripts of this folder.

import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { CompactSign } from 'jose';

/** The PKCS #8 frame of an Ed25519 seed (RFC 8410 section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key from a seed of one byte, repeated: for tests only, and anybody can make it again. */
export async function testKey(byte) {
  const seed = new Uint8Array(32).fill(byte);
  const { publicKeyMultibase } = await Ed25519Multikey.generate({ seed });
  return {
    seed,
    did: `did:key:${publicKeyMultibase}`,
    multibase: publicKeyMultibase,
    secret: createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }),
  };
}

export const issuerKey = await testKey(0x11);
export const strangerKey = await testKey(0x22);
export const holderKey = await testKey(0x33);

export const ISSUER = 'https://issuer.example';
export const KID = `${ISSUER}#key-1`;
export const LIST = `${ISSUER}/status/1`;
export const FROM = '2026-01-01T00:00:00Z';
export const UNTIL = '2027-01-01T00:00:00Z';
export const V2 = 'https://www.w3.org/ns/credentials/v2';
export const UNDEFINED_TERMS = 'https://www.w3.org/ns/credentials/undefined-terms/v2';

export const HEADER = { alg: 'EdDSA', typ: 'vc+jwt', kid: KID };

/** A credential that keeps every rule, with as little as possible. */
export const credential = () => ({
  '@context': [V2, UNDEFINED_TERMS],
  type: ['VerifiableCredential'],
  issuer: ISSUER,
  validFrom: FROM,
  validUntil: UNTIL,
  credentialSubject: { id: holderKey.did, role: 'editor', scope: ['docs'] },
});

export const entry = (index, purpose = 'revocation', list = LIST) => ({
  type: 'BitstringStatusListEntry',
  statusPurpose: purpose,
  statusListIndex: String(index),
  statusListCredential: list,
});

/** What `jose` makes of bytes or of a document. */
export function sign(payload, header = HEADER, key = issuerKey.secret, options) {
  const bytes = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload));
  return new CompactSign(bytes).setProtectedHeader(header).sign(key, options);
}

const FOLDER = new URL('../fixtures/', import.meta.url);
mkdirSync(FOLDER, { recursive: true });

/** Writes a fixture; `README.md` says what its lines mean. */
export function fixture(name, { expect, w3c, by, kind = 'credential', key = issuerKey.did, reads, jwt }) {
  const lines = [`expect: ${expect}`, `w3c: ${w3c}`, `by: ${by}`, `kind: ${kind}`, `key: ${key}`];
  if (reads) {
    lines.push(`reads: ${JSON.stringify(reads)}`);
  }
  writeFileSync(new URL(`${name}.jwt`, FOLDER), `${lines.join('\n')}\n\n${jwt}\n`);
}

/** What a reader has to find in `credential()`. */
export const reads = (more = {}) => ({
  issuer: ISSUER,
  kid: KID,
  id: null,
  subject: holderKey.did,
  role: 'editor',
  scope: ['docs'],
  valid_from: FROM,
  valid_until: UNTIL,
  status: [],
  ...more,
});

/** What a reader has to find in a status list. */
export const readsList = (more = {}) => ({
  issuer: ISSUER,
  kid: KID,
  id: LIST,
  purpose: 'revocation',
  valid_from: FROM,
  bits: 131072,
  set: [],
  ...more,
});
