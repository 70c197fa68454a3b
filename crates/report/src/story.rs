//! What happened in a run, as a person would tell it: who wrote what while who did not know, where they met, and
//! what that took back.
//!
//! Everything is derived from the op log (who, what, when written, knowing what) and the timeline (which verdict
//! fell when). An op that descends from all that the observer had is written *at the observer*; any other is
//! written *elsewhere*, and the observer learns of it when it is brought. A run of ops that are brought is a
//! *meeting*.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::payload;
use ecac_core::{Body, Denial, OpId, Payload, PublicKey, Refusal};

use crate::ops::Ops;
use crate::plot::grouped;
use crate::timeline::{Event, Kind};

/// A silence that is long enough to be told, in virtual time.
const PAUSE_MS: u64 = 6 * 60 * 60 * 1000;
/// Ops without a pause longer than this are told together where they are of one kind.
const BREATH_MS: u64 = 60 * 1000;
/// Chapters that are told; of a longer story the middle is left out.
pub(crate) const CHAPTERS_MAX: usize = 48;

/// Losses that are told before the story.
const LOSSES_MAX: usize = 6;

/// The story of a run.
#[derive(Debug)]
pub(crate) struct Story {
    /// When the first op was written, ms since the Unix epoch.
    pub(crate) start_ms: u64,
    /// What was not applied in the end, and because of what; the gravest first.
    pub(crate) losses: Vec<String>,
    pub(crate) chapters: Vec<Chapter>,
    /// Chapters left out after the first half of [`CHAPTERS_MAX`].
    pub(crate) left_out: usize,
}

/// Something that happened, in one place, within one stretch of virtual time.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    /// How long nothing had happened, where that is worth telling.
    pub(crate) pause_ms: Option<u64>,
    pub(crate) place: Place,
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

/// Where, as the observer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The observer knows at once.
    Here,
    /// The observer does not know yet.
    Elsewhere,
    /// What was written elsewhere is brought to the observer.
    Meeting,
    /// The observer turns it away.
    Refused,
}

impl Place {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Here => "at the observer",
            Self::Elsewhere => "elsewhere",
            Self::Meeting => "they meet",
            Self::Refused => "turned away",
        }
    }

    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Elsewhere => "elsewhere",
            Self::Meeting => "meeting",
            Self::Refused => "away",
        }
    }
}

/// One thing that is told.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// What became of it.
    pub(crate) verdicts: Vec<(Kind, String)>,
    /// What it meant.
    pub(crate) meaning: Option<String>,
    /// The op that it is about.
    pub(crate) op: Option<OpId>,
}

/// An op as it is told, or a meeting.
struct Moment<'a> {
    at_ms: u64,
    place: Place,
    what: What<'a>,
}

enum What<'a> {
    Op(OpId, &'a Body),
    /// The arrivals from one number to another.
    Meeting(u64, u64),
}

/// Tells the story of a run.
pub(crate) fn tell(ops: &Ops, events: &[Event]) -> Option<Story> {
    let teller = Teller::new(ops, events);
    let moments = teller.moments();
    let start_ms = moments.first()?.at_ms;
    let mut chapters = teller.chapters(&moments);
    let mut end_ms = start_ms;
    for chapter in &mut chapters {
        let pause_ms = chapter.from_ms.saturating_sub(end_ms);
        chapter.pause_ms = (pause_ms >= PAUSE_MS).then_some(pause_ms);
        end_ms = end_ms.max(chapter.to_ms);
    }
    let left_out = chapters.len().saturating_sub(CHAPTERS_MAX);
    if left_out > 0 {
        chapters.drain(CHAPTERS_MAX / 2..CHAPTERS_MAX / 2 + left_out);
    }
    Some(Story {
        start_ms,
        losses: teller.losses(),
        chapters,
        left_out,
    })
}

struct Teller<'a> {
    ops: &'a Ops,
    events: &'a [Event],
    /// The events of each op, in order.
    fates: BTreeMap<OpId, Vec<&'a Event>>,
    /// The events that each op is the cause of.
    effects: BTreeMap<OpId, Vec<&'a Event>>,
}

impl<'a> Teller<'a> {
    fn new(ops: &'a Ops, events: &'a [Event]) -> Self {
        let mut fates: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut effects: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in events {
            if let Some(op) = event.op {
                fates.entry(op).or_default().push(event);
            }
            if let Some(by) = event.by {
                effects.entry(by).or_default().push(event);
            }
        }
        Self {
            ops,
            events,
            fates,
            effects,
        }
    }

    /// The last verdict on an op, and the one before where it changed.
    fn fate(&self, op: &OpId) -> Option<&'a Event> {
        self.fates.get(op)?.last().copied()
    }

    fn losses(&self) -> Vec<String> {
        let mut losses: BTreeMap<(Kind, Option<OpId>, &str), u64> = BTreeMap::new();
        for event in self.events {
            if matches!(event.event, Kind::RolledBack | Kind::Denied | Kind::Refused) {
                let author = event.op.map_or("somebody", |op| self.ops.author(&op));
                *losses.entry((event.event, event.by, author)).or_default() += 1;
            }
        }
        let told = losses.iter().rev().map(|(&(kind, by, author), &ops)| {
            let cause = by.and_then(|by| Some((by, self.ops.get(&by)?)));
            let cause = cause.map_or_else(String::new, |(by, body)| {
                format!(" because of {}", self.cause(&by, body))
            });
            let was = if ops == 1 { "was" } else { "were" };
            format!(
                "{} of {author} {was} {}{cause}",
                count(ops, "op"),
                kind.verb()
            )
        });
        told.take(LOSSES_MAX).collect()
    }

    /// Every op, and every meeting, in the order of virtual time.
    fn moments(&self) -> Vec<Moment<'a>> {
        let taken_back: BTreeSet<u64> = self
            .events
            .iter()
            .filter(|event| event.event == Kind::RolledBack)
            .map(|event| event.n)
            .collect();
        let mut moments = Vec::new();
        let mut heads: BTreeSet<OpId> = BTreeSet::new();
        let mut clock_ms = 0;
        let mut meeting: Option<(u64, u64)> = None;
        let close = |meeting: &mut Option<(u64, u64)>, clock_ms| {
            meeting.take().map(|(from, to)| Moment {
                at_ms: clock_ms,
                place: Place::Meeting,
                what: What::Meeting(from, to),
            })
        };
        for (n, item) in (1..).zip(&self.ops.items) {
            let Some((op, body)) = item.and_then(|op| Some((op, self.ops.get(&op)?))) else {
                continue;
            };
            let fate = self.fate(&op).map(|fate| fate.event);
            let refused = fate.is_none_or(|fate| fate == Kind::Refused);
            // Whoever writes names the ends of what counts; nobody has to build on what is denied.
            let denied = matches!(fate, Some(Kind::RolledBack | Kind::Denied));
            let knows_all = heads.iter().all(|head| body.parents.contains(head));
            let place = match (knows_all, refused) {
                _ if taken_back.contains(&n) => Place::Elsewhere,
                (true, true) => Place::Refused,
                (true, false) => Place::Here,
                (false, _) => Place::Elsewhere,
            };
            if place == Place::Elsewhere {
                meeting = Some((meeting.map_or(n, |(from, _)| from), n));
            } else {
                moments.extend(close(&mut meeting, clock_ms));
            }
            if !refused && !denied {
                for parent in &body.parents {
                    heads.remove(parent);
                }
                heads.insert(op);
            }
            if !refused {
                clock_ms = clock_ms.max(body.hlc.physical_ms);
            }
            moments.push(Moment {
                at_ms: body.hlc.physical_ms,
                place,
                what: What::Op(op, body),
            });
        }
        moments.extend(close(&mut meeting, clock_ms));
        // Stable: what is of one time stays in order of arrival.
        moments.sort_by_key(|moment| (moment.at_ms, moment.place == Place::Meeting));
        moments
    }

    fn chapters(&self, moments: &[Moment<'a>]) -> Vec<Chapter> {
        let mut chapters = Vec::new();
        let mut open: BTreeMap<Place, Edits> = BTreeMap::new();
        let mut known: BTreeSet<PublicKey> = BTreeSet::new();
        // A credential is told with the grant that rests on it.
        let granted: BTreeSet<OpId> = moments
            .iter()
            .filter_map(|moment| match moment.what {
                What::Op(_, body) => match body.payload {
                    Payload::Grant(payload::Grant { credential, .. }) => Some(credential),
                    _ => None,
                },
                What::Meeting(..) => None,
            })
            .collect();
        let mut last_ms = moments.first().map_or(0, |moment| moment.at_ms);
        for moment in moments {
            let pause = moment.at_ms - last_ms >= PAUSE_MS;
            last_ms = moment.at_ms;
            let (op, body) = match moment.what {
                What::Op(op, body) if !granted.contains(&op) => (op, body),
                What::Op(..) => continue,
                What::Meeting(from, to) => {
                    self.flush(&mut open, &mut chapters);
                    chapters.push(self.meeting(moment.at_ms, from, to));
                    continue;
                }
            };
            if pause {
                self.flush(&mut open, &mut chapters);
            }
            if is_edit(&body.payload) {
                let edits = open.entry(moment.place).or_insert_with(|| Edits {
                    from_ms: moment.at_ms,
                    ..Edits::default()
                });
                edits.to_ms = moment.at_ms;
                edits.ops.push(op);
                continue;
            }
            self.flush(&mut open, &mut chapters);
            let (weight, title, line) = self.control(op, body, &mut known);
            match chapters.last_mut() {
                Some(Chapter {
                    to_ms,
                    place,
                    title: told,
                    lines,
                    ..
                }) if *place == moment.place
                    && moment.at_ms - *to_ms <= BREATH_MS
                    && lines.iter().all(|line| line.op.is_some()) =>
                {
                    if weight > self.weight(lines) {
                        *told = title;
                    }
                    *to_ms = moment.at_ms;
                    lines.push(line);
                }
                _ => chapters.push(Chapter {
                    from_ms: moment.at_ms,
                    to_ms: moment.at_ms,
                    pause_ms: None,
                    place: moment.place,
                    title,
                    lines: vec![line],
                }),
            }
        }
        self.flush(&mut open, &mut chapters);
        chapters
    }

    fn weight(&self, lines: &[Line]) -> u8 {
        let ops = lines.iter().filter_map(|line| line.op);
        let bodies = ops.filter_map(|op| self.ops.get(&op));
        bodies.map(|body| weight(&body.payload)).max().unwrap_or(0)
    }

    fn flush(&self, open: &mut BTreeMap<Place, Edits>, chapters: &mut Vec<Chapter>) {
        for (place, edits) in std::mem::take(open) {
            chapters.push(self.edits(place, &edits));
        }
    }

    /// Edits of one stretch in one place, told by author.
    fn edits(&self, place: Place, edits: &Edits) -> Chapter {
        let mut authors: BTreeMap<&str, Vec<OpId>> = BTreeMap::new();
        for &op in &edits.ops {
            authors.entry(self.ops.author(&op)).or_default().push(op);
        }
        let names: Vec<&str> = authors.keys().copied().collect();
        let who = listed(&names);
        let title = match place {
            Place::Refused if names.len() == 1 => format!("{who} tries to go on"),
            Place::Refused => format!("{who} try to go on"),
            _ if names.len() == 1 => format!("{who} writes"),
            _ => format!("{who} write"),
        };
        let lines = authors.into_iter().map(|(author, ops)| {
            let mut fates: BTreeMap<(Kind, Option<&str>), u64> = BTreeMap::new();
            for fate in ops.iter().filter_map(|op| self.fate(op)) {
                *fates
                    .entry((fate.event, fate.reason.as_deref()))
                    .or_default() += 1;
            }
            let whole = fates.len() == 1;
            let verdicts = fates
                .iter()
                .map(|(&(kind, _), &count)| {
                    let verb = match (place, kind) {
                        (Place::Here, Kind::RolledBack) => "applied, later taken back",
                        (Place::Elsewhere, Kind::Applied) => "applied once they arrive",
                        _ => kind.verb(),
                    };
                    let text = if whole {
                        verb.to_owned()
                    } else {
                        format!("{count} {verb}")
                    };
                    (kind, text)
                })
                .collect();
            let reasons = fates.keys().filter(|(kind, _)| *kind == Kind::Refused);
            let meaning = reasons
                .filter_map(|(kind, reason)| meaning(*kind, *reason))
                .next();
            Line {
                text: format!("{author}: {}", count(ops.len() as u64, "edit")),
                verdicts,
                meaning,
                op: None,
            }
        });
        Chapter {
            from_ms: edits.from_ms,
            to_ms: edits.to_ms,
            pause_ms: None,
            place,
            title,
            lines: lines.collect(),
        }
    }

    /// What was written elsewhere arrives, and what that means for what the observer had.
    fn meeting(&self, at_ms: u64, from: u64, to: u64) -> Chapter {
        let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let arrived = self
            .ops
            .items
            .iter()
            .take(index(to))
            .skip(index(from) - 1)
            .flatten();
        let mut authors: BTreeMap<&str, u64> = BTreeMap::new();
        for op in arrived {
            *authors.entry(self.ops.author(op)).or_default() += 1;
        }
        let counts: Vec<String> = authors
            .iter()
            .map(|(author, &ops)| format!("{} of {author}", count(ops, "op")))
            .collect();
        let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
        let names: Vec<&str> = authors.keys().copied().collect();
        let mut lines = vec![Line {
            text: format!("Brought to the observer: {}.", listed(&counts)),
            ..Line::default()
        }];
        type Outcome<'e> = (Kind, Option<&'e str>, Option<OpId>, &'e str);
        let mut outcomes: BTreeMap<Outcome<'_>, u64> = BTreeMap::new();
        for event in self
            .events
            .iter()
            .filter(|event| (from..=to).contains(&event.n))
        {
            let author = event.op.map_or("somebody", |op| self.ops.author(&op));
            let outcome = (event.event, event.reason.as_deref(), event.by, author);
            *outcomes.entry(outcome).or_default() += 1;
        }
        // What is lost first: it is what the story is about.
        for (&(kind, reason, by, author), &ops) in outcomes.iter().rev() {
            let cause = by.and_then(|by| Some((by, self.ops.get(&by)?)));
            let cause = cause.map_or_else(String::new, |(by, body)| {
                format!(" by {}", self.cause(&by, body))
            });
            lines.push(Line {
                text: format!("{} of {author}{cause}", count(ops, "op")),
                verdicts: vec![(kind, kind.verb().to_owned())],
                meaning: meaning(kind, reason),
                op: by,
            });
        }
        Chapter {
            from_ms: at_ms,
            to_ms: at_ms,
            pause_ms: None,
            place: Place::Meeting,
            title: format!("The observer meets {}", listed(&names)),
            lines,
        }
    }

    fn cause(&self, op: &OpId, body: &Body) -> String {
        let who = self.ops.author(op);
        match &body.payload {
            Payload::Revoke(payload::Revoke { subject, .. }) => {
                format!("{who}'s revocation of {}", self.ops.label(subject))
            }
            Payload::StatusList(_) => format!("{who}'s status list"),
            Payload::IssuerKeyRevoke(_) => format!("{who}'s revocation of an issuer key"),
            other => format!("{who}'s {}", other.kind()),
        }
    }

    /// An op that is no edit: how weighty it is, a title, and a line.
    fn control(
        &self,
        op: OpId,
        body: &Body,
        known: &mut BTreeSet<PublicKey>,
    ) -> (u8, String, Line) {
        let who = self.ops.label(&body.author);
        let text = match &body.payload {
            Payload::Genesis(genesis) => format!(
                "{who} founds the project “{}” with {}",
                genesis.name.as_str().escape_debug(),
                count(genesis.roots.len() as u64, "root key"),
            ),
            Payload::Credential(_) => format!("{who} carries a credential into the log"),
            Payload::Grant(payload::Grant {
                subject,
                credential,
            }) => {
                let again = if known.insert(*subject) { "" } else { " again" };
                let role = self.ops.role_granted(credential).unwrap_or("unreadable");
                let role = role.replace('_', " ");
                let subject = self.ops.label(subject);
                format!("{who} grants {subject} the role {role}{again}")
            }
            Payload::Revoke(payload::Revoke { subject, .. }) => {
                format!("{who} revokes {}", self.ops.label(subject))
            }
            Payload::IssuerKey(_) => format!("{who} trusts the key of an issuer"),
            Payload::IssuerKeyRevoke(_) => format!("{who} revokes the key of an issuer"),
            Payload::StatusList(_) => format!("{who} publishes a status list"),
            other => format!("{who}: {}", other.kind()),
        };
        let mut effects: BTreeMap<(Kind, &str), u64> = BTreeMap::new();
        for event in self.effects.get(&op).into_iter().flatten() {
            let author = event.op.map_or("somebody", |op| self.ops.author(&op));
            *effects.entry((event.event, author)).or_default() += 1;
        }
        let effects: Vec<String> = effects
            .iter()
            .rev()
            .map(|((kind, author), ops)| {
                format!("{} of {author} {}", count(*ops, "op"), kind.verb())
            })
            .collect();
        let effects: Vec<&str> = effects.iter().map(String::as_str).collect();
        let fate = self.fate(&op);
        let verdicts = fate
            .filter(|fate| fate.event != Kind::Applied)
            .map(|fate| (fate.event, fate.event.verb().to_owned()))
            .into_iter()
            .collect();
        let title = match &body.payload {
            Payload::Genesis(_) => "The project is founded".to_owned(),
            _ => text.clone(),
        };
        let line = Line {
            text,
            verdicts,
            meaning: (!effects.is_empty())
                .then(|| format!("What it will mean: {}.", listed(&effects))),
            op: Some(op),
        };
        (weight(&body.payload), title, line)
    }
}

/// Edits of one stretch in one place.
#[derive(Default)]
struct Edits {
    from_ms: u64,
    to_ms: u64,
    ops: Vec<OpId>,
}

const fn is_edit(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::SetField(_) | Payload::SetAdd(_) | Payload::SetRemove(_)
    )
}

/// Which of several ops gives a chapter its title.
const fn weight(payload: &Payload) -> u8 {
    match payload {
        Payload::Genesis(_) => 5,
        Payload::Revoke(_) | Payload::IssuerKeyRevoke(_) => 4,
        Payload::StatusList(_) => 3,
        Payload::Grant(_) => 2,
        _ => 1,
    }
}

/// What a reason means, in the words of the engine.
fn meaning(kind: Kind, reason: Option<&str>) -> Option<String> {
    let reason = reason?;
    let words = match kind {
        Kind::Refused => reason.parse::<Refusal>().ok().map(Refusal::meaning),
        _ => reason.parse::<Denial>().ok().map(Denial::meaning),
    };
    Some(words.map_or_else(
        || format!("Reason: {}.", reason.escape_debug()),
        |words| format!("{} ({reason}).", words.trim_end_matches('.')),
    ))
}

/// The text with a capital at its start.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// “3 edits”.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// “a, b and c”.
fn listed(items: &[&str]) -> String {
    match items {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(count(1, "op"), "1 op");
        assert_eq!(count(1_000, "op"), "1\u{a0}000 ops");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(
            meaning(Kind::Refused, Some("revoked")).unwrap(),
            "A denial in the op's past kills every grant (revoked)."
        );
        assert_eq!(meaning(Kind::Denied, Some("new")).unwrap(), "Reason: new.");
    }
}
