//! The other way: what is minted here is what `mint/verify.mjs` and `mint/verify.py` have verified with other
//! libraries.

use ecac_core::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::{SigningKey, public_key};

const ISSUER: &str = "https://issuer.example";
const KID: &str = "https://issuer.example#key-1";
const LIST: &str = "https://issuer.example/status/1";
/// 2026-01-01T00:00:00Z.
const FROM_MS: u64 = 1_767_225_600_000;
/// 2027-01-01T00:00:00Z.
const UNTIL_MS: u64 = 1_798_761_600_000;

fn check(minted: &str, file: &str) {
    let verified = file.strip_suffix('\n');
    assert_eq!(
        Some(minted),
        verified,
        "put the new text into `ours/` and run `mint/verify.mjs` and `mint/verify.py`"
    );
}

#[test]
fn a_minted_credential_is_the_one_that_others_verified() {
    let claims = CredentialClaims {
        issuer: ISSUER.to_owned(),
        kid: KID.to_owned(),
        id: Some("urn:example:ecac:credential:1".to_owned()),
        subject: public_key(&SigningKey::from([0x33; 32])),
        role: Role::Editor,
        scope: ["büro".to_owned(), "docs".to_owned()].into(),
        valid_from_ms: FROM_MS,
        valid_until_ms: UNTIL_MS,
        status: vec![StatusRef {
            list: LIST.to_owned(),
            index: 94_567,
            purpose: StatusPurpose::Revocation,
        }],
    };
    let minted = mint_credential(&SigningKey::from([0x11; 32]), &claims);
    check(&minted, include_str!("ours/credential.jwt"));
}

#[test]
fn a_minted_status_list_is_the_one_that_others_verified() {
    let minted = mint_status_list(
        &SigningKey::from([0x11; 32]),
        ISSUER,
        KID,
        LIST,
        StatusPurpose::Revocation,
        FROM_MS,
        131_072,
        &[0, 7, 8, 94_567, 131_071].into(),
    );
    check(&minted, include_str!("ours/status-list.jwt"));
}
