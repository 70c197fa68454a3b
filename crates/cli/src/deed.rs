//! Deeds of trust and policy: previewed, asked about where they take work away, written in one transaction, and told.

use ecac_artifact::exit;
use ecac_core::{EffectCode, OpId, Payload, Preview, Rehearsal, Written};
use ecac_project::{Key, Writer};
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::people::People;
use crate::told::{self, Teller};
use crate::{consent, text};

/// How a deed is done. Its last op is the one that matters; those before it are what it rests on.
pub(crate) struct Deed<'a> {
    /// Completes "failed to …".
    pub(crate) doing: &'a str,
    /// What to do where it would count for nothing.
    pub(crate) hint: &'a str,
    /// What it may amount to though that counts for nothing.
    pub(crate) fine: &'a [EffectCode],
    /// Whether nobody is to be asked.
    pub(crate) yes: bool,
}

/// A deed that was done.
pub(crate) struct Done {
    /// The ops, the one that matters last.
    pub(crate) ops: Vec<Written>,
    /// What the last op does, in words.
    pub(crate) effect: &'static str,
    /// Whether it does nothing until more roots have signed it.
    pub(crate) waits: bool,
    /// The same for machines, as [`Teller::written_json`] says it, without a `format`.
    pub(crate) document: Json,
    /// A line for each op, for people.
    pub(crate) lines: String,
    /// The work that no longer counts, for people.
    pub(crate) lost: String,
    /// The work that counts again, likewise.
    pub(crate) given: String,
}

impl Done {
    /// The op that matters.
    pub(crate) fn op(&self) -> Option<OpId> {
        self.ops.last().map(|it| it.op)
    }

    /// The op that matters, in a line for people: its first digits, and what it is called.
    pub(crate) fn line(&self, what: &str) -> String {
        let op = self.op().as_ref().map(text::op).unwrap_or_default();
        format!("{op}  {what}\n")
    }
}

impl Deed<'_> {
    /// Does the deed whose ops `next` gives, as [`ecac_core::Replica::preview_all`] asks for them. Nothing is written where it would count
    /// for nothing, and where somebody who is asked does not say yes.
    pub(crate) fn carry_out(
        &self,
        writer: Writer,
        people: &People<'_>,
        key: &Key,
        now_ms: u64,
        next: &mut dyn FnMut(&[Preview]) -> Option<Payload>,
    ) -> Result<Done, Failure> {
        self.carry_out_on(writer, people, key, now_ms, &mut |rehearsal| {
            while let Some(payload) = next(rehearsal.previews()) {
                let added = rehearsal.add(payload);
                added.map_err(|error| Failure::of(self.doing, &error.into()))?;
            }
            Ok(())
        })
    }

    /// Does the deed that `rehearse` rehearses, likewise.
    pub(crate) fn carry_out_on(
        &self,
        mut writer: Writer,
        people: &People<'_>,
        key: &Key,
        now_ms: u64,
        rehearse: &mut dyn FnMut(&mut Rehearsal) -> Result<(), Failure>,
    ) -> Result<Done, Failure> {
        let failed = |error: &ecac_project::Error| Failure::of(self.doing, error);
        writer.finish(key).map_err(|error| failed(&error))?;
        let rehearsal = writer.rehearse(key.public(), now_ms);
        let mut rehearsal = rehearsal.map_err(|error| failed(&error.into()))?;
        rehearse(&mut rehearsal)?;
        let previews = rehearsal.finish();
        self.check(&previews)?;
        let teller = Teller {
            replica: &writer,
            people,
        };
        if let Some(last) = previews.last() {
            counts(self.doing, &teller, last)?;
        }
        self.confirm(&teller, &previews)?;
        let unseen: Vec<OpId> = previews
            .last()
            .map_or_else(Vec::new, |it| it.unseen.clone());
        let bodies = previews.into_iter().map(|it| it.body).collect();
        let written = writer
            .author_all(bodies, key)
            .map_err(|error| failed(&error))?;
        let teller = Teller {
            replica: &writer,
            people,
        };
        let last = written.ops.last();
        let effect = last.and_then(|it| it.effect.as_ref());
        let op = last.map(|it| it.op);
        let line = |it: &Written| format!("{}  {}\n", text::op(&it.op), teller.what(&it.op));
        let done = Done {
            lines: written.ops.iter().map(line).collect(),
            effect: told::effect(effect),
            waits: told::waits(effect),
            document: teller.written_json(op.as_ref(), &unseen, effect, &written.received),
            lost: teller.lost(&written.received, "no longer count"),
            given: teller.given(&written.received, "given back"),
            ops: written.ops,
        };
        writer
            .close()
            .map_err(|error| Failure::of("end the writing", &error))?;
        Ok(done)
    }

    /// Nobody is to believe that something happened that did not.
    pub(crate) fn check(&self, previews: &[Preview]) -> Result<(), Failure> {
        let last = previews.last();
        if last.is_some_and(|it| it.body.payload.target().is_some()) {
            // Data has no effect but what it shows.
            return Ok(());
        }
        let effect = previews.last().and_then(|it| it.effect.as_ref());
        let is_fine = effect.is_some_and(|it| self.fine.contains(&it.code));
        if is_fine || told::waits(effect) || !told::counts_for_nothing(effect) {
            return Ok(());
        }
        let cause = format!("it would count for nothing: {}", told::effect(effect));
        let hint = format!("nothing was written; {}", self.hint);
        Err(Failure::new(exit::REFUSED, self.doing, cause, hint))
    }

    /// Asks, where work is taken back.
    fn confirm(&self, teller: &Teller<'_>, previews: &[Preview]) -> Result<(), Failure> {
        let lost = previews.iter().map(|it| it.received.rolled_back().count());
        let count: usize = lost.sum();
        let lost = previews
            .iter()
            .map(|it| teller.lost(&it.received, "would no longer count"));
        consent::confirm(self.doing, count, &lost.collect::<String>(), self.yes)
    }
}

/// Nobody is to believe that they did what somebody else has taken back already. Who does so is an op that the local clock has not
/// reached: a new op does not name it, so that it is admitted, and it falls at once.
pub(crate) fn counts(doing: &str, teller: &Teller<'_>, preview: &Preview) -> Result<(), Failure> {
    let Some(how) = teller.overruled(&preview.received, &preview.op) else {
        return Ok(());
    };
    Err(Failure::new(
        exit::REFUSED,
        doing,
        format!("it would count for nothing: {how}"),
        "nothing was written; that op is stamped ahead of your clock: look whether the clock is right, or ask for a new grant",
    ))
}

/// What an op would do, for people.
pub(crate) fn preview_text(teller: &Teller<'_>, preview: &Preview) -> String {
    let effect = preview.effect.as_ref();
    let word = if told::waits(effect) {
        "would wait for more roots"
    } else if told::counts_for_nothing(effect) {
        "would count for nothing"
    } else {
        "would count"
    };
    let mut lost = teller.lost(&preview.received, "would no longer count");
    if lost.is_empty() {
        lost = "no work that is here would be taken back\n".to_owned();
    }
    format!(
        "{word}: {}\n{lost}nothing was written\n",
        told::effect(effect)
    )
}
