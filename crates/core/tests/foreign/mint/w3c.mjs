// Mints, with `jose`, one document for each rule of the W3C that a credential or a status list can break, and one
// for each place where this project and the W3C draw the line differently.

import { deflateSync, gzipSync } from 'node:zlib';
import * as bitstring from '@digitalbazaar/vc-bitstring-status-list';
import { UnsecuredJWT } from 'jose';
import {
  credential, entry, fixture, FROM, HEADER, holderKey, ISSUER, issuerKey, LIST, reads, readsList, sign, strangerKey, UNTIL,
  V2,
} from './common.mjs';

const by = 'npm jose';
const bytes = (text) => new TextEncoder().encode(text);

// Verdicts, as `{:?}` writes a `CredentialError`.
const missing = (member) => `refused Missing { member: "${member}" }`;
const malformed = (member, expected) => `refused Malformed { member: "${member}", expected: "${expected}" }`;
const forbidden = (member) => `refused Forbidden { member: "${member}" }`;
const mismatch = (claim, member) => `refused Mismatch { claim: "${claim}", member: "${member}" }`;
const TEXT = 'a string';
const URL_ = 'a URL';
const NAME = '1 to 256 bytes of text in NFC';
const DATE = 'a date-time like 2026-01-31T08:00:00Z';
const SECONDS = 'whole seconds since 1970 in the years 1 to 9999';
const CONTEXT = `an array that begins with ${V2}`;
const TYPES = '`VerifiableCredential` or with it';
const SUBJECT = 'the did:key of an Ed25519 key';
const ENCODED = '`u` and canonical base64url without padding';
const PURPOSE = '`revocation` or `suspension`';
const INDEX = 'a decimal number from 0 to 8388607 without leading zeros';
const EMPTY_WINDOW = 'refused EmptyWindow';

// Specifications.
const dm = (section, rule) => `VC Data Model 2.0 section ${section}: ${rule}`;
const jose = (section, rule) => `VC-JOSE-COSE section ${section}: ${rule}`;
const bsl = (section, rule) => `Bitstring Status List v1.0 section ${section}: ${rule}`;
const rfc = (section, rule) => `RFC ${section}: ${rule}`;
const invalid = (rule) => `invalid, ${rule}`;
const valid = (rule) => `valid, ${rule}`;

/** A copy of `document` in which `edit` gives new members; those of `undefined` are taken away. */
const edited = (document, edit) => ({ ...document, ...edit });

// Credentials by what is changed in one that keeps every rule.
const CREDENTIALS = [
  // Contexts
  ['context-missing', invalid(dm('4.3', '`@context` is required')), { '@context': undefined }, missing('@context')],
  ['context-empty', invalid(dm('4.3', 'the first item is the v2 URL')), { '@context': [] }, malformed('@context', CONTEXT)],
  ['context-v1', invalid(dm('4.3', 'the first item is the v2 URL')), { '@context': ['https://www.w3.org/2018/credentials/v1'] }, malformed('@context', CONTEXT)],
  ['context-v2-second', invalid(dm('4.3', 'the first item is the v2 URL')), { '@context': ['https://www.w3.org/ns/credentials/examples/v2', V2] }, malformed('@context', CONTEXT)],
  ['context-no-array', invalid(dm('4.3', 'an ordered set')), { '@context': V2 }, malformed('@context', CONTEXT)],
  // Identifiers
  ['id-not-url', invalid(dm('4.4', '`id` is a URL')), { id: 'https ://not-a-url/1' }, malformed('id', URL_)],
  ['id-several', invalid(dm('4.4', '`id` is one URL')), { id: ['urn:example:1', 'urn:example:2'] }, malformed('id', TEXT)],
  // Types
  ['type-missing', invalid(dm('4.5', '`type` is required')), { type: undefined }, missing('type')],
  ['type-empty', invalid(dm('4.5', '`VerifiableCredential` is among them')), { type: [] }, malformed('type', TYPES)],
  ['type-other', invalid(dm('4.5', '`VerifiableCredential` is among them')), { type: ['ExampleDegreeCredential'] }, malformed('type', TYPES)],
  ['type-not-text', invalid(dm('4.5', 'each is a term or a URL')), { type: ['VerifiableCredential', 1] }, malformed('type', TEXT)],
  // Issuer
  ['issuer-missing', invalid(dm('4.7', '`issuer` is required')), { issuer: undefined }, missing('issuer')],
  ['issuer-null', invalid(dm('4.7', 'a URL or an object')), { issuer: null }, malformed('issuer', TEXT)],
  ['issuer-not-url', invalid(dm('4.7', 'a URL or an object')), { issuer: '//not-a-url/issuer' }, malformed('issuer', URL_)],
  ['issuer-object-no-id', invalid(dm('4.7', 'an object with `id`')), { issuer: { name: 'Example' } }, missing('issuer.id')],
  ['issuer-object-null', invalid(dm('4.7', '`id` is a URL')), { issuer: { id: null } }, malformed('issuer.id', TEXT)],
  ['issuer-object-not-url', invalid(dm('4.7', '`id` is a URL')), { issuer: { id: 'not a url' } }, malformed('issuer.id', URL_)],
  // Credential subject
  ['subject-missing', invalid(dm('4.8', '`credentialSubject` is required')), { credentialSubject: undefined }, missing('credentialSubject')],
  ['subject-empty', invalid(dm('4.8', 'one or more claims')), { credentialSubject: {} }, missing('credentialSubject.id')],
  ['subject-text', invalid(dm('4.8', 'objects')), { credentialSubject: holderKey.did }, malformed('credentialSubject', 'an object')],
  ['subject-several-ids', invalid(dm('4.4', '`id` is one URL')), { credentialSubject: { id: [holderKey.did, strangerKey.did], role: 'editor' } }, malformed('credentialSubject.id', TEXT)],
  // Validity period
  ['valid-from-no-offset', invalid(dm('4.9', 'a dateTimeStamp')), { validFrom: '2026-01-01T00:00:00' }, malformed('validFrom', DATE)],
  ['valid-from-date', invalid(dm('4.9', 'a dateTimeStamp')), { validFrom: '2026-01-01' }, malformed('validFrom', DATE)],
  ['valid-from-no-date', invalid(dm('4.9', 'a dateTimeStamp')), { validFrom: '2026-02-30T00:00:00Z' }, malformed('validFrom', DATE)],
  ['valid-from-number', invalid(dm('4.9', 'a dateTimeStamp')), { validFrom: 1767225600 }, malformed('validFrom', TEXT)],
  ['valid-until-words', invalid(dm('4.9', 'a dateTimeStamp')), { validUntil: 'for ever' }, malformed('validUntil', DATE)],
  ['valid-until-offset', invalid(dm('4.9', 'a dateTimeStamp')), { validUntil: '2027-01-01T00:00:00+14:30' }, malformed('validUntil', DATE)],
  ['valid-from-after-until', invalid(dm('4.9', '`validFrom` is not later than `validUntil`')), { validFrom: UNTIL, validUntil: FROM }, EMPTY_WINDOW],
  // Status
  ['status-no-type', invalid(dm('4.10', '`type` is required')), { credentialStatus: edited(entry(7), { type: undefined }) }, missing('credentialStatus.type')],
  ['status-text', invalid(dm('4.10', 'an object')), { credentialStatus: `${LIST}#7` }, malformed('credentialStatus', 'an object')],
  // Status list entries
  ['entry-no-purpose', invalid(bsl('2.1', '`statusPurpose` is required')), { credentialStatus: edited(entry(7), { statusPurpose: undefined }) }, missing('credentialStatus.statusPurpose')],
  ['entry-purpose-number', invalid(bsl('2.1', '`statusPurpose` is a string')), { credentialStatus: edited(entry(7), { statusPurpose: 1 }) }, malformed('credentialStatus.statusPurpose', TEXT)],
  ['entry-no-index', invalid(bsl('2.1', '`statusListIndex` is required')), { credentialStatus: edited(entry(7), { statusListIndex: undefined }) }, missing('credentialStatus.statusListIndex')],
  ['entry-index-number', invalid(bsl('2.1', '`statusListIndex` is a string')), { credentialStatus: edited(entry(7), { statusListIndex: 7 }) }, malformed('credentialStatus.statusListIndex', TEXT)],
  ['entry-index-true', invalid(bsl('2.1', '`statusListIndex` is a string')), { credentialStatus: edited(entry(7), { statusListIndex: true }) }, malformed('credentialStatus.statusListIndex', TEXT)],
  ['entry-index-negative', invalid(bsl('2.1', 'at least 0')), { credentialStatus: entry(-1) }, malformed('credentialStatus.statusListIndex', INDEX)],
  ['entry-index-hexadecimal', invalid(bsl('2.1', 'in base 10')), { credentialStatus: entry('0x7') }, malformed('credentialStatus.statusListIndex', INDEX)],
  ['entry-no-list', invalid(bsl('2.1', '`statusListCredential` is required')), { credentialStatus: edited(entry(7), { statusListCredential: undefined }) }, missing('credentialStatus.statusListCredential')],
  ['entry-list-not-url', invalid(bsl('2.1', '`statusListCredential` is a URL')), { credentialStatus: entry(7, 'revocation', 'invalid-url') }, malformed('credentialStatus.statusListCredential', URL_)],
  ['entry-size-zero', invalid(bsl('2.1', '`statusSize` is greater than 0')), { credentialStatus: { ...entry(7), statusSize: 0 } }, malformed('credentialStatus.statusSize', '1')],
  ['entry-size-text', invalid(bsl('2.1', '`statusSize` is an integer')), { credentialStatus: { ...entry(7), statusSize: '1' } }, malformed('credentialStatus.statusSize', '1')],
  ['entry-size-no-messages', invalid(bsl('2.1', '`statusMessage` is required')), { credentialStatus: { ...entry(7), statusSize: 2 } }, malformed('credentialStatus.statusSize', '1')],
  // Claims
  ['claim-vc', invalid(jose('3.1.3', '`vc` must not be present')), { vc: { type: ['VerifiableCredential'] } }, forbidden('vc')],
  ['claim-vp', invalid(jose('3.1.3', '`vp` must not be present')), { vp: 'no' }, forbidden('vp')],
  ['claim-iss-other', invalid(jose('4.1.2', '`iss` is `issuer`')), { iss: 'https://other.example' }, mismatch('iss', 'issuer')],
  ['claim-iss-object-other', invalid(jose('4.1.2', '`iss` is `issuer.id`')), { issuer: { id: ISSUER }, iss: 'https://other.example' }, mismatch('iss', 'issuer')],
  ['claim-nbf-text', invalid(rfc('7519 section 4.1.5', 'a NumericDate')), { nbf: FROM }, malformed('nbf', SECONDS)],

  // What the W3C allows and this project does not take: its profile (see README.md).
  ['profile-no-valid-from', valid(dm('4.9', '`validFrom` is optional')), { validFrom: undefined }, missing('validFrom')],
  ['profile-no-valid-until', valid(dm('4.9', '`validUntil` is optional')), { validUntil: undefined }, missing('validUntil')],
  ['profile-instant', valid(dm('4.9', 'the two may be the same')), { validUntil: FROM }, EMPTY_WINDOW],
  ['profile-hour-24', valid(dm('4.9', 'a dateTimeStamp of XML Schema 1.1')), { validUntil: '2026-12-31T24:00:00Z' }, malformed('validUntil', DATE)],
  ['profile-picoseconds', valid(dm('4.9', 'a fraction of any length')), { validUntil: '2026-12-31T23:59:59.123456789012Z' }, malformed('validUntil', DATE)],
  ['profile-nbf-fraction', valid(rfc('7519 section 2', 'a NumericDate may have a fraction')), { nbf: 1767225600.5 }, malformed('nbf', SECONDS)],
  ['profile-subjects', valid(dm('4.8', 'several subjects')), { credentialSubject: [{ id: holderKey.did, role: 'editor' }, { id: strangerKey.did, role: 'editor' }] }, malformed('credentialSubject', 'an object')],
  ['profile-subject-no-id', valid(dm('4.8', '`id` is optional')), { credentialSubject: { role: 'editor' } }, missing('credentialSubject.id')],
  ['profile-subject-did', valid(dm('4.4', 'any URL')), { credentialSubject: { id: 'did:example:ebfeb1f712ebc6f1c276e12ec21', role: 'editor' } }, malformed('credentialSubject.id', SUBJECT)],
  ['profile-subject-degree', valid(dm('4.8', 'any claims')), { credentialSubject: { id: holderKey.did, degree: { type: 'ExampleBachelorDegree' } } }, missing('credentialSubject.role')],
  ['profile-status-type', valid(dm('4.10', 'any type of status')), { credentialStatus: { ...entry(7), type: 'ExampleStatus' } }, malformed('credentialStatus.type', '`BitstringStatusListEntry`')],
  ['profile-purpose-message', valid(bsl('2.1', '`message` and other purposes')), { credentialStatus: { ...entry(7, 'message'), statusSize: 1 } }, malformed('credentialStatus.statusPurpose', PURPOSE)],
  ['profile-size-two', valid(bsl('2.1', 'statuses of several bits')), {
    credentialStatus: {
      ...entry(7), statusSize: 2,
      statusMessage: ['0x0', '0x1', '0x2', '0x3'].map((status) => ({ status, message: `message ${status}` })),
    },
  }, malformed('credentialStatus.statusSize', '1')],
  ['profile-index-beyond', valid(bsl('2.1', 'an integer of any size')), { credentialStatus: entry(8388608) }, malformed('credentialStatus.statusListIndex', INDEX)],
  ['profile-sub-other', valid(jose('3.1.3', 'avoiding conflicts is only recommended')), { sub: strangerKey.did }, mismatch('sub', 'credentialSubject.id')],
  ['profile-jti-other', valid(jose('3.1.3', 'avoiding conflicts is only recommended')), { id: 'urn:example:1', jti: 'urn:example:2' }, mismatch('jti', 'id')],

  // What the W3C refuses and this project takes, as no decision of its own looks at the member (see README.md).
  ['ignored-evidence', invalid(dm('5.6', '`type` of evidence is required')), { evidence: [{ name: 'no type' }] }, {}],
  ['ignored-terms-of-use', invalid(dm('5.5', '`type` of terms of use is required')), { termsOfUse: { name: 'no type' } }, {}],
  ['ignored-refresh-service', invalid(dm('5.4', '`type` of a refresh service is required')), { refreshService: { name: 'no type' } }, {}],
  ['ignored-schema', invalid(dm('4.11', '`id` of a schema is required')), { credentialSchema: { type: 'JsonSchema' } }, {}],
  ['ignored-name', invalid(dm('4.6', 'a string or a language value object')), { name: 1 }, {}],
  ['ignored-status-id', invalid(dm('4.10', '`id` of a status is a URL')), { credentialStatus: { id: 'not a url', ...entry(7) } },
    { status: [{ list: LIST, index: 7, purpose: 'revocation' }] }],
];
for (const [name, w3c, edit, verdict] of CREDENTIALS) {
  const accepted = typeof verdict === 'object';
  fixture(name, {
    expect: accepted ? 'accepted' : verdict, w3c, by,
    reads: accepted ? reads(verdict) : undefined,
    jwt: await sign(edited(credential(), edit)),
  });
}

// Headers.
const HEADERS = [
  ['header-typ-bad', invalid(jose('3.1.1', '`typ` is `vc+jwt`')), { typ: 'bad+typ', cty: 'bad+cty' }, malformed('typ', '`vc+jwt`')],
  ['header-typ-presentation', invalid(jose('3.1.2', '`vp+jwt` is a presentation')), { typ: 'vp+jwt' }, malformed('typ', '`vc+jwt`')],
  ['header-typ-draft', invalid(jose('3.1.1', '`vc+ld+jwt` is of a draft')), { typ: 'vc+ld+jwt' }, malformed('typ', '`vc+jwt`')],
  ['profile-no-typ', valid(jose('3.1.1', '`typ` is only recommended')), { typ: undefined }, missing('typ')],
  ['profile-typ-application', valid(rfc('7515 section 4.1.9', 'the prefix is optional')), { typ: 'application/vc+jwt' }, malformed('typ', '`vc+jwt`')],
  ['profile-no-kid', valid(jose('4.1.1', '`kid` is optional')), { kid: undefined }, missing('kid')],
  ['profile-alg-ed25519', valid(rfc('9864 section 2.2', 'another name of EdDSA with Ed25519')), { alg: 'Ed25519' }, malformed('alg', '`EdDSA`')],
];
for (const [name, w3c, edit, expect] of HEADERS) {
  fixture(name, { expect, w3c, by, jwt: await sign(credential(), edited(HEADER, edit)) });
}
fixture('header-crit', {
  expect: forbidden('crit'), w3c: invalid(rfc('7515 section 4.1.11', 'an extension that is not understood')), by,
  jwt: await sign(credential(), { ...HEADER, crit: ['x-unknown'], 'x-unknown': 1 }, issuerKey.secret, { crit: { 'x-unknown': true } }),
});
fixture('header-alg-none', {
  expect: 'refused SignatureLength { bytes: 0 }', w3c: invalid(jose('3.1.1', 'it is secured')), by,
  jwt: new UnsecuredJWT(credential()).encode(),
});
// The algorithm is judged before the key: a signature of ECDSA is random, so this one is EdDSA under a false name.
{
  const [, payload, signature] = (await sign(credential())).split('.');
  const header = Buffer.from(JSON.stringify({ ...HEADER, alg: 'ES256' })).toString('base64url');
  fixture('profile-alg-es256', {
    expect: malformed('alg', '`EdDSA`'), w3c: valid(jose('3.1.1', 'any algorithm')), by,
    jwt: `${header}.${payload}.${signature}`,
  });
}

// Payloads that are no document, and signatures that are not the issuer's.
fixture('payload-not-json', {
  expect: 'refused NotJson { part: Payload, line: 1, column: 2 }', w3c: invalid(rfc('7519 section 7.2', 'a JSON object')), by,
  jwt: await sign(bytes('no')),
});
fixture('payload-array', {
  expect: malformed('payload', 'a JSON object'), w3c: invalid(rfc('7519 section 7.2', 'a JSON object')), by,
  jwt: await sign([credential()]),
});
fixture('payload-member-twice', {
  expect: 'refused DuplicateMember { part: Payload, name: "role" }', w3c: invalid(rfc('7519 section 4', 'claim names are unique')), by,
  jwt: await sign(bytes(JSON.stringify(credential()).replace('"role":"editor"', '"role":"reader","role":"editor"'))),
});
fixture('forged-other-key', {
  expect: 'forged', w3c: invalid(jose('3.1.1', 'the signature verifies')), by, reads: reads(),
  jwt: await sign(credential(), HEADER, strangerKey.secret),
});
{
  const [header, , signature] = (await sign(credential())).split('.');
  const promoted = edited(credential(), { credentialSubject: { ...credential().credentialSubject, role: 'root' } });
  const payload = Buffer.from(JSON.stringify(promoted)).toString('base64url');
  fixture('forged-payload', {
    expect: 'forged', w3c: invalid(jose('3.1.1', 'the signature verifies')), by, reads: reads({ role: 'root' }),
    jwt: `${header}.${payload}.${signature}`,
  });
}

// Status lists by what is changed in one that keeps every rule, in the document and in its subject.
const list = async (length = 131072) => ({
  ...await bitstring.createCredential({ id: LIST, list: await bitstring.createList({ length }), statusPurpose: 'revocation' }),
  issuer: ISSUER,
  validFrom: FROM,
});
const encoded = (packed) => `u${Buffer.from(packed).toString('base64url')}`;
const smallest = new Uint8Array(16384);
/** Base64url with padding: of the first list whose packed length needs some. */
const padded = () => {
  for (let index = 0; ; index += 1) {
    const packed = gzipSync(smallest.with(index, 0xff));
    if (packed.length % 3 !== 0) {
      return `u${packed.toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
    }
  }
};
const NOT_GZIP = 'refused NotGzip';
const LISTS = [
  ['list-type-missing', invalid(bsl('2.2', '`BitstringStatusListCredential` is among the types')), { type: ['VerifiableCredential'] }, {}, malformed('type', 'an array with `BitstringStatusListCredential`')],
  ['list-type-only', invalid(dm('4.5', '`VerifiableCredential` is among them')), { type: ['BitstringStatusListCredential'] }, {}, malformed('type', TYPES)],
  ['list-type-2021', invalid(bsl('2.2', '`BitstringStatusListCredential` is among the types')), { type: ['VerifiableCredential', 'StatusList2021Credential'] }, {}, malformed('type', 'an array with `BitstringStatusListCredential`')],
  ['list-issuer-missing', invalid(dm('4.7', '`issuer` is required')), { issuer: undefined }, {}, missing('issuer')],
  ['list-valid-from-words', invalid(dm('4.9', 'a dateTimeStamp')), { validFrom: 'today' }, {}, malformed('validFrom', DATE)],
  ['list-id-not-url', invalid(dm('4.4', '`id` is a URL')), { id: 'status' }, {}, malformed('id', URL_)],
  ['list-subject-type-missing', invalid(bsl('2.2', '`type` is required')), {}, { type: undefined }, missing('credentialSubject.type')],
  ['list-subject-type-other', invalid(bsl('2.2', '`type` is `BitstringStatusList`')), {}, { type: 'StatusList2021' }, malformed('credentialSubject.type', '`BitstringStatusList`')],
  ['list-purpose-missing', invalid(bsl('2.2', '`statusPurpose` is required')), {}, { statusPurpose: undefined }, missing('credentialSubject.statusPurpose')],
  ['list-encoded-missing', invalid(bsl('2.2', '`encodedList` is required')), {}, { encodedList: undefined }, missing('credentialSubject.encodedList')],
  ['list-encoded-no-multibase', invalid(bsl('2.2', '`encodedList` is multibase')), {}, { encodedList: encoded(gzipSync(smallest)).slice(1) }, malformed('credentialSubject.encodedList', ENCODED)],
  ['list-encoded-base58', invalid(bsl('2.2', 'the multibase is base64url')), {}, { encodedList: encoded(gzipSync(smallest)).replace('u', 'z') }, malformed('credentialSubject.encodedList', ENCODED)],
  ['list-encoded-base64', invalid(bsl('2.2', 'the multibase is base64url')), {}, { encodedList: encoded(gzipSync(smallest)).replaceAll('-', '+').replaceAll('_', '/') }, malformed('credentialSubject.encodedList', ENCODED)],
  ['list-encoded-padded', invalid(bsl('2.2', 'without padding')), {}, { encodedList: padded() }, malformed('credentialSubject.encodedList', ENCODED)],
  ['list-encoded-words', invalid(bsl('2.2', '`encodedList` is multibase')), {}, { encodedList: 'invalid-encoded-list' }, malformed('credentialSubject.encodedList', ENCODED)],
  ['list-encoded-plain', invalid(bsl('3.4', 'it is packed')), {}, { encodedList: encoded(new Uint8Array(64)) }, NOT_GZIP],
  ['list-encoded-zlib', invalid(bsl('3.3', 'the packing is gzip')), {}, { encodedList: encoded(deflateSync(smallest)) }, NOT_GZIP],
  ['list-encoded-cut', invalid(bsl('3.4', 'it unpacks')), {}, { encodedList: encoded(gzipSync(smallest).subarray(0, -1)) }, NOT_GZIP],
  ['list-encoded-empty', invalid(bsl('3.4', 'it unpacks')), {}, { encodedList: 'u' }, NOT_GZIP],
  ['list-short', invalid(bsl('2.2', 'at least 16 KiB')), {}, { encodedList: encoded(gzipSync(smallest.subarray(1))) }, 'refused ListTooShort { bytes: 16383 }'],
  ['list-no-bits', invalid(bsl('2.2', 'at least 16 KiB')), {}, { encodedList: encoded(gzipSync(new Uint8Array())) }, 'refused ListTooShort { bytes: 0 }'],

  ['profile-list-no-valid-from', valid(dm('4.9', '`validFrom` is optional')), { validFrom: undefined }, {}, missing('validFrom')],
  ['profile-list-no-id', valid(bsl('2.2', '`id` is optional')), { id: undefined }, {}, missing('id')],
  ['profile-list-purposes', valid(bsl('2.2', 'one or more purposes')), {}, { statusPurpose: ['revocation', 'suspension'] }, malformed('credentialSubject.statusPurpose', TEXT)],
  ['profile-list-message', valid(bsl('2.2', '`message` and other purposes')), {}, { statusPurpose: 'message' }, malformed('credentialSubject.statusPurpose', PURPOSE)],
  ['profile-list-long', valid(bsl('2.2', 'no upper limit')), {}, { encodedList: encoded(gzipSync(new Uint8Array(1048577))) }, 'refused ListTooLong'],
  ['profile-list-two-members', valid(rfc('1952 section 2.2', 'one or more members')), {}, { encodedList: encoded(Buffer.concat([gzipSync(smallest), gzipSync(new Uint8Array())])) }, 'refused TrailingBytes { bytes: 20 }'],

  ['ignored-list-expired', invalid(bsl('3.2', 'a list that has expired')), { validFrom: '2020-01-01T00:00:00Z', validUntil: '2020-01-02T00:00:00Z' }, {}, { valid_from: '2020-01-01T00:00:00Z' }],
];
for (const [name, w3c, edit, subject, verdict] of LISTS) {
  const document = await list();
  const accepted = typeof verdict === 'object';
  fixture(name, {
    expect: accepted ? 'accepted' : verdict, w3c, by, kind: 'status list',
    reads: accepted ? readsList(verdict) : undefined,
    jwt: await sign({ ...document, ...edit, credentialSubject: edited(document.credentialSubject, subject) }),
  });
}
fixture('list-not-list', {
  expect: malformed('type', 'an array with `BitstringStatusListCredential`'), w3c: invalid(bsl('3.2', 'a status list credential')), by, kind: 'status list',
  jwt: await sign(credential()),
});
fixture('list-as-credential', {
  expect: malformed('credentialSubject.id', SUBJECT), w3c: valid(dm('4.4', 'any URL')), by,
  jwt: await sign({ ...await list(), validUntil: UNTIL }),
});
fixture('forged-list', {
  expect: 'forged', w3c: invalid(jose('3.1.1', 'the signature verifies')), by, kind: 'status list', reads: readsList(),
  jwt: await sign(await list(), HEADER, strangerKey.secret),
});
