//! Granting: the credential and the grant that rests on it, for `add-member` and `regrant`.

use std::collections::{BTreeSet, VecDeque};

use ecac_artifact::exit;
use ecac_core::credential::{Role, StatusRef};
use ecac_core::payload::{Credential, Grant, IssuerKey};
use ecac_core::{Action, OpId, Payload, Preview, PublicKey, Replica, Tags};
use ecac_project::{Issuer, Key, KeyUse, NewCredential, Writer};
use serde_json::{Value as Json, json};

use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::{output, text};

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
pub(crate) struct Granted {
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

/// Mints the credential and grants it, and lists the user's issuer key if it is not: all in one transaction.
pub(crate) fn grant(
    writer: Writer,
    people: &People<'_>,
    key: &Key,
    globals: &Globals,
    wanted: Wanted,
) -> Result<Granted, Failure> {
    let now_ms = globals.now_ms()?;
    let issuer = issuer(globals, key)?;
    let listing = unlisted(&writer, key, &issuer, now_ms)?;
    let is_listed_now = listing.is_some();
    let jwt = issuer.credential(&NewCredential {
        subject: wanted.subject,
        role: wanted.role,
        scope: wanted.scope,
        valid_from_ms: now_ms,
        valid_until_ms: now_ms.saturating_add(wanted.days.saturating_mul(DAY_MS)),
        status: wanted.status,
    });
    let deed = Deed {
        doing: &format!("grant {} anything", people.show(&wanted.subject)),
        hint: "`ecac members` shows who has what",
        fine: &[],
        yes: false,
    };
    let mut before: VecDeque<Payload> = listing.map(Into::into).into_iter().collect();
    before.push_back(Credential { jwt }.into());
    let mut is_granted = false;
    let mut next = |previews: &[Preview]| {
        before.pop_front().or_else(|| {
            let credential = previews.last()?.op;
            let subject = wanted.subject;
            let is_over = core::mem::replace(&mut is_granted, true);
            (!is_over).then(|| {
                Grant {
                    subject,
                    credential,
                }
                .into()
            })
        })
    };
    let done = deed.carry_out(writer, people, key, now_ms, &mut next)?;
    let ops: Vec<OpId> = done.ops.iter().map(|it| it.op).collect();
    match ops[..] {
        [.., credential, grant] => Ok(Granted {
            issuer_key: ops.first().copied().filter(|_| is_listed_now),
            credential,
            grant,
            waits: done.waits,
        }),
        _ => Err(Failure::new(
            exit::INTERNAL,
            "grant",
            "there is no grant",
            "please report this",
        )),
    }
}

/// What lists the user's issuer key, if it is not listed.
pub(crate) fn unlisted(
    replica: &Replica,
    key: &Key,
    issuer: &Issuer,
    now_ms: u64,
) -> Result<Option<IssuerKey>, Failure> {
    if is_listed(replica, issuer) {
        return Ok(None);
    }
    let until_ms = now_ms.saturating_add(LISTED_DAYS * DAY_MS);
    let listing = issuer.listing(window_start_ms(now_ms), until_ms);
    let can = replica.can(&key.public(), Action::Trust, &Tags::new(), now_ms);
    let Err(why) = can.value else {
        return Ok(Some(listing));
    };
    let IssuerKey {
        issuer,
        kid,
        public_key,
        ..
    } = &listing;
    let cause = format!(
        "the op would be refused: {}: {}",
        why.reason,
        why.reason.meaning()
    );
    let hint = format!(
        "ask a root or an issuer_admin for `ecac issuer add {issuer} {kid} {public_key}`, and import what they export"
    );
    Err(Failure::new(
        exit::REFUSED,
        "list your key as an issuer's",
        cause,
        hint,
    ))
}

/// Says what was granted to whom.
pub(crate) fn tell(
    people: &People<'_>,
    person: &PublicKey,
    role: Role,
    scope: &BTreeSet<String>,
    written: &Granted,
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
