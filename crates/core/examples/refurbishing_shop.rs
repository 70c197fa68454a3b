//! A shop that refurbishes phones: a technician works offline, the manager revokes meanwhile, they meet, and the replica
//! explains what became of the work.

use ecac_core::credential::Role;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload::{Credential, Grant, IssuerKey, Revoke, SetField};
use ecac_core::{Genesis, Name, Replica, SchemaRule, SigningKey, Value, public_key};

const MORNING_MS: u64 = 1_767_254_400_000; // 2026-01-01T08:00:00Z
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Keys are random elsewhere.
    let [manager, technician, hr] = [1, 2, 3].map(|seed| SigningKey::from([seed; 32]));
    let (issuer, kid) = (Name::new("https://hr.shop.example")?, Name::new("2026")?);

    // The manager founds the project, and trusts the key of HR.
    let rule = SchemaRule {
        object: Name::new("phone/*")?,
        field: Name::new("*")?,
        tags: [Name::new("repair")?].into(),
    };
    let genesis = Genesis {
        name: Name::new("refurbishing shop")?,
        nonce: *b"another each day",
        roots: [public_key(&manager)].into(),
        schema: [rule].into(),
        features: [].into(),
    };
    let mut office = Replica::create(genesis, &manager, MORNING_MS)?;
    let trusted = IssuerKey {
        issuer: issuer.clone(),
        kid: kid.clone(),
        public_key: public_key(&hr),
        valid_from_ms: MORNING_MS,
        valid_until_ms: MORNING_MS + YEAR_MS,
    };
    office.author(trusted, &manager, MORNING_MS)?;

    // HR says what the technician is, and the manager grants it.
    let subject = public_key(&technician);
    let claims = CredentialClaims {
        issuer: issuer.to_string(),
        kid: kid.to_string(),
        id: None,
        subject,
        role: Role::Editor,
        scope: ["repair".to_owned()].into(),
        valid_from_ms: MORNING_MS,
        valid_until_ms: MORNING_MS + YEAR_MS,
        status: Vec::new(),
    };
    let jwt = mint_credential(&hr, &claims);
    let credential = office.author(Credential { jwt }, &manager, MORNING_MS)?.op;
    let grant = Grant {
        subject,
        credential,
    };
    office.author(grant, &manager, MORNING_MS)?;

    // The technician takes all of it along, and works where there is no network. Meanwhile the manager revokes.
    let mut van = Replica::join(office.project());
    van.receive(&office.envelopes().collect::<Vec<_>>());
    let write = SetField::new("phone/7", "status", Value::Text("repaired".into()))?;
    let repaired = van.author(write, &technician, MORNING_MS + 60_000)?;
    office.author(Revoke::of(subject), &manager, MORNING_MS + 120_000)?;

    // They meet.
    let news = van.receive(&office.envelopes().collect::<Vec<_>>());
    office.receive(&[repaired.envelope]);
    assert_eq!(news.rolled_back().next(), Some(repaired.op));
    assert_eq!(van.state_digest(), office.state_digest());
    println!("{}", van.explain(&repaired.op).ok_or("it is here")?);
    Ok(())
}
