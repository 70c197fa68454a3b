// Mints with the npm libraries, each used as its documentation shows.

import * as bitstring from '@digitalbazaar/vc-bitstring-status-list';
import * as transmute from '@transmute/verifiable-credentials';
import { EdDSASigner } from 'did-jwt';
import { createVerifiableCredentialJwt } from 'did-jwt-vc';
import {
  credential, entry, fixture, FROM, HEADER, holderKey, ISSUER, issuerKey, KID, LIST, reads, readsList, sign,
  UNDEFINED_TERMS, UNTIL, V2,
} from './common.mjs';

const VALID = 'valid';
const V1 = 'https://www.w3.org/2018/credentials/v1';

// jose: every registered claim, an issuer object, two status entries and members that no rule names.
{
  const by = 'npm jose';
  const id = 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33';
  const document = {
    ...credential(),
    id,
    issuer: { id: ISSUER, name: 'Ausstellerin für Prüfungen' },
    type: ['VerifiableCredential', 'MembershipCredential'],
    name: { '@value': 'Mitglied', '@language': 'de' },
    credentialStatus: [
      { id: `${LIST}#94567`, ...entry(94567), statusSize: 1 },
      { id: `${ISSUER}/status/2#8`, ...entry(8, 'suspension', `${ISSUER}/status/2`) },
    ],
    evidence: [{ type: ['Evidence'], level: 1.5 }],
    iss: ISSUER,
    sub: holderKey.did,
    jti: id,
    iat: 1767225600,
    nbf: 1767225660,
    exp: 1798761599,
    cnf: { kid: holderKey.did },
  };
  fixture('jose-full', {
    expect: 'accepted', w3c: VALID, by,
    reads: reads({
      id,
      valid_from: '2026-01-01T00:01:00Z',
      valid_until: '2026-12-31T23:59:59Z',
      status: [
        { list: LIST, index: 94567, purpose: 'revocation' },
        { list: `${ISSUER}/status/2`, index: 8, purpose: 'suspension' },
      ],
    }),
    jwt: await sign(document, { ...HEADER, cty: 'vc', iss: ISSUER, 'x-unknown': [1] }),
  });

  fixture('jose-minimal', { expect: 'accepted', w3c: VALID, by, reads: reads(), jwt: await sign(credential()) });

  const kid = `${issuerKey.did}#${issuerKey.multibase}`;
  fixture('jose-did-issuer', {
    expect: 'accepted', w3c: VALID, by,
    reads: reads({ issuer: issuerKey.did, kid }),
    jwt: await sign({ ...credential(), issuer: issuerKey.did }, { ...HEADER, kid }),
  });

  fixture('jose-revocable', {
    expect: 'accepted', w3c: VALID, by,
    reads: reads({ status: [{ list: LIST, index: 94567, purpose: 'revocation' }] }),
    jwt: await sign({ ...credential(), credentialStatus: entry(94567) }),
  });
}

// Digital Bazaar's status lists. The library leaves `issuer` and `validFrom` to its caller.
{
  const by = 'npm @digitalbazaar/vc-bitstring-status-list, jose';
  const mint = async (name, { length = 131072, set = [], statusPurpose = 'revocation' }) => {
    const list = await bitstring.createList({ length });
    for (const index of set) {
      list.setStatus(index, true);
    }
    const document = await bitstring.createCredential({ id: LIST, list, statusPurpose });
    fixture(name, {
      expect: 'accepted', w3c: VALID, by, kind: 'status list',
      reads: readsList({ purpose: statusPurpose, bits: length, set }),
      jwt: await sign({ ...document, issuer: ISSUER, validFrom: FROM }),
    });
  };
  await mint('digitalbazaar-clear', {});
  await mint('digitalbazaar-set', { set: [0, 7, 8, 94567, 131071] });
  await mint('digitalbazaar-suspension', { set: [94567], statusPurpose: 'suspension' });
  await mint('digitalbazaar-longest', { length: 8388608, set: [8388607] });
}

// Transmute's issuer reads YAML. Its status list predates the multibase prefix of the Recommendation.
{
  const by = 'npm @transmute/verifiable-credentials, jose';
  const issuer = transmute.default.issuer({
    alg: 'EdDSA',
    type: 'application/vc-ld+jwt',
    signer: { sign: async (bytes) => transmute.text.encoder.encode(await sign(bytes)) },
  });
  const issue = async (claimset) => {
    const issued = await issuer.issue({ claimset: transmute.text.encoder.encode(claimset) });
    return transmute.text.decoder.decode(issued);
  };
  fixture('transmute-credential', {
    expect: 'accepted', w3c: VALID, by,
    reads: reads({ status: [{ list: LIST, index: 7, purpose: 'revocation' }] }),
    jwt: await issue(`
"@context":
  - ${V2}
  - ${UNDEFINED_TERMS}
type:
  - VerifiableCredential
issuer:
  id: ${ISSUER}
  name: "Example issuer"
validFrom: ${FROM}
validUntil: ${UNTIL}
credentialStatus:
  - id: ${LIST}#7
    type: BitstringStatusListEntry
    statusPurpose: revocation
    statusListIndex: "7"
    statusListCredential: "${LIST}"
credentialSubject:
  id: ${holderKey.did}
  role: editor
  scope:
    - docs
`),
  });
  fixture('transmute-status-list', {
    expect: 'refused Malformed { member: "credentialSubject.encodedList", expected: "`u` and canonical base64url without padding" }',
    w3c: 'invalid, Bitstring Status List v1.0 section 2.2: `encodedList` is multibase',
    by, kind: 'status list',
    jwt: await issue(`
"@context":
  - ${V2}
id: ${LIST}
type:
  - VerifiableCredential
  - BitstringStatusListCredential
issuer: ${ISSUER}
validFrom: ${FROM}
credentialSubject:
  id: ${LIST}#list
  type: BitstringStatusList
  statusPurpose: revocation
  encodedList: ${await transmute.status.bs(131072).set(7, true).encode()}
`),
  });
}

// did-jwt-vc writes VC Data Model 1.1 and takes no other context.
{
  const { type, credentialSubject } = credential();
  const { id: sub, ...claims } = credentialSubject;
  fixture('did-jwt-vc', {
    expect: 'refused Malformed { member: "typ", expected: "`vc+jwt`" }',
    w3c: 'invalid, VC-JOSE-COSE section 3.1.3: `vc` must not be present',
    by: 'npm did-jwt-vc',
    jwt: await createVerifiableCredentialJwt(
      { sub, nbf: 1767225600, exp: 1798761600, iat: 1767225600, vc: { '@context': [V1], type, credentialSubject: claims } },
      { did: issuerKey.did, signer: EdDSASigner(issuerKey.seed), alg: 'EdDSA' },
      { header: { kid: KID } },
    ),
  });
}
