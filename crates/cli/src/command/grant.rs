//! Granting: the credential and the grant that rests on it, for `add-member` and `regrant`.

use std::collections::BTreeSet;

use ecac_artifact::exit;
use ecac_core::credential::{Role, StatusRef};
use ecac_core::payload::{Credential, Grant};
use ecac_core::{OpId, PublicKey, Replica};
use ecac_project::{Cause, Issuer, Key, KeyUse, NewCredential, Writer};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::{output, text, told};

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;
/// For how many days an issuer key is listed that is listed by the way.
const LISTED_DAYS: u64 = 3650;

/// Where the window of a key begins that is listed at that time: a day before, because the clock of the issuer may be behind.
pub(crate) const fn window_start_ms(now_ms: u64) -> u64 {
    now_ms.saturating_sub(DAY_MS)
}

/// What is to be granted.
pub(crate) struct Wanted {
    pub(crate) subject: PublicKey,
    pub(crate) role: Role,
    pub(crate) scope: BTreeSet<String>,
    pub(crate) days: u64,
    pub(crate) status: Vec<StatusRef>,
}

/// The ops that were written.
pub(crate) struct Written {
    /// The `IssuerKey`, if the issuer was not listed.
    pub(crate) issuer_key: Option<OpId>,
    pub(crate) credential: OpId,
    pub(crate) grant: OpId,
    /// Whether the grant does nothing until more roots have signed it.
    pub(crate) waits: bool,
}

/// The user as an issuer.
pub(crate) fn issuer(globals: &Globals, key: &Key) -> Result<Issuer, Failure> {
    let key = globals.key(KeyUse::Issuer, key.name())?;
    Issuer::of(key).map_err(|error| {
        Failure::new(
            exit::INTERNAL,
            "name the issuer",
            error,
            "please report this",
        )
    })
}

/// Whether a key of the issuer with that name is listed and lives.
pub(crate) fn is_listed(replica: &Replica, issuer: &Issuer) -> bool {
    let trust: Json = serde_json::from_slice(&replica.trust()).unwrap_or_default();
    let active = trust["issuer_keys"]["active"].as_array();
    active.is_some_and(|keys| {
        let is_it = |key: &Json| {
            key["issuer"] == issuer.name().as_str() && key["kid"] == issuer.kid().as_str()
        };
        keys.iter().any(is_it)
    })
}

/// Lists the user's issuer key if it is not, mints the credential, and grants it.
pub(crate) fn grant(
    writer: &mut Writer,
    key: &Key,
    globals: &Globals,
    wanted: Wanted,
) -> Result<Written, Failure> {
    let now_ms = globals.now_ms()?;
    let issuer = issuer(globals, key)?;
    let issuer_key = list(writer, key, &issuer, now_ms)?;
    let jwt = issuer.credential(&NewCredential {
        subject: wanted.subject,
        role: wanted.role,
        scope: wanted.scope,
        valid_from_ms: now_ms,
        valid_until_ms: now_ms.saturating_add(wanted.days.saturating_mul(DAY_MS)),
        status: wanted.status,
    });
    let credential = writer.author(Credential { jwt }, key, now_ms);
    let credential = credential
        .map_err(|error| Failure::of("carry the credential", &error))?
        .op;
    let grant = Grant {
        subject: wanted.subject,
        credential,
    };
    let granted = writer.author(grant, key, now_ms);
    let granted = granted.map_err(|error| Failure::of("grant", &error))?;
    let effect = granted.effect.as_ref();
    if told::counts_for_nothing(effect) && !told::waits(effect) {
        let cause = told::effect(granted.effect.as_ref());
        let hint = "nobody was let in by it; `ecac explain` with its op id says more";
        return Err(
            Failure::new(exit::REFUSED, "grant something that counts", cause, hint)
                .with_details(vec![format!("op {}", granted.op)]),
        );
    }
    Ok(Written {
        issuer_key,
        credential,
        grant: granted.op,
        waits: told::waits(granted.effect.as_ref()),
    })
}

/// Lists the user's issuer key, if it is not listed.
pub(crate) fn list(
    writer: &mut Writer,
    key: &Key,
    issuer: &Issuer,
    now_ms: u64,
) -> Result<Option<OpId>, Failure> {
    if is_listed(writer, issuer) {
        return Ok(None);
    }
    let until_ms = now_ms.saturating_add(LISTED_DAYS * DAY_MS);
    let listing = issuer.listing(window_start_ms(now_ms), until_ms);
    let (name, kid, did) = (
        listing.issuer.clone(),
        listing.kid.clone(),
        listing.public_key,
    );
    let listed = writer.author(listing, key, now_ms).map_err(|error| {
        let doing = "list your key as an issuer's";
        if error.cause() != Cause::Refused {
            return Failure::of(doing, &error);
        }
        let hint = format!("ask a root or an issuer_admin for `ecac issuer add {name} {kid} {did}`, and import what they export");
        Failure::new(exit::REFUSED, doing, error, hint)
    })?;
    Ok(Some(listed.op))
}

/// Says what was granted to whom.
pub(crate) fn tell(
    people: &People<'_>,
    person: &PublicKey,
    role: Role,
    scope: &BTreeSet<String>,
    written: &Written,
    as_json: bool,
) -> Result<(), Failure> {
    if as_json {
        return output::print_json(&json!({
            "format": "ecac-grant-v1",
            "person": people.json(person),
            "role": role,
            "scope": scope,
            "issuer_key": written.issuer_key,
            "credential": written.credential,
            "grant": written.grant,
            "waits": written.waits,
        }));
    }
    let scope = text::list(scope.iter().map(String::as_str));
    let is = if written.waits {
        "will be, once more roots have signed it (`ecac pending`),"
    } else {
        "is"
    };
    let told = format!(
        "{} {is} {role} over {scope}\ngrant    {}\nexport what is here and send it to them: `ecac export FILE`\n",
        people.show(person),
        text::op(&written.grant)
    );
    output::print(told.as_bytes())
}
