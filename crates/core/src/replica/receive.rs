//! Receiving: what a replica makes of a batch.

use core::iter::repeat;
use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use super::event::{Arrived, Event, Mention, PlaceChange, Received};
use super::place::{Place, Shown};
use crate::costs::Costs;
use crate::id::OpId;
use crate::log::{Arrival, GROUP, Log, Outcome, Waits};
use crate::op::{Incoming, Rejected, VerifiedOp, check_in_portions};
use crate::place::Sight;
use crate::replay::{Change, Decision};
use crate::state::State;
use crate::store::StoreError;

/// Envelopes of a batch that are decoded together: so many that much is looked up ahead at once, so few that what was decoded
/// is near when its turn comes.
const TOGETHER: usize = 256;

/// What is known of a batch while it is taken in.
#[derive(Default)]
pub(super) struct Intake {
    notes: Vec<Note>,
    /// Ops that were judged after they had been pending, or that an event tells of already.
    settled: BTreeSet<OpId>,
    /// The ops that were admitted, in order, as if each were applied: it mostly will be, and is told where it stands.
    admitted: Vec<Event>,
    arrivals: Vec<Arrived>,
    /// Where ops come parents first: those of the batch so far that may not be here, as a parent that does not verify is not.
    not_here: Option<BTreeSet<OpId>>,
    orphans: usize,
    /// Memory for what the log says of one op.
    told: Vec<Arrival>,
}

enum Note {
    Told(Event),
    /// Pending or unsupported when it came; what it is at the end of the batch is told then.
    Held(Mention),
}

/// What the places of a batch showed before it, with the events there.
type Before = BTreeMap<Place, (Option<Shown>, Vec<usize>)>;

impl Replica {
    /// Takes in envelopes, in any order and any number of times: decodes, verifies, admits and decides. What they are is
    /// no error: the answer says what became of each.
    ///
    /// ```
    /// use ecac_core::{Event, Genesis, Name, Replica, SigningKey};
    ///
    /// let key = SigningKey::from([1; 32]);
    /// let genesis = Genesis {
    ///     name: Name::new("shop")?,
    ///     nonce: [0; 16],
    ///     roots: [ecac_core::public_key(&key)].into(),
    ///     schema: [].into(),
    ///     features: [].into(),
    /// };
    /// let office = Replica::create(genesis, &key, 1_767_225_600_000)?;
    ///
    /// let mut workshop = Replica::join(office.project());
    /// let received = workshop.receive(&office.envelopes().collect::<Vec<_>>());
    /// assert!(matches!(received.events[..], [Event::Applied { .. }]));
    ///
    /// let received = workshop.receive(&[b"no op"]);
    /// assert_eq!(received.events[0].name(), "rejected");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive<B: AsRef<[u8]> + Sync>(&mut self, envelopes: &[B]) -> Received {
        self.receive_into(envelopes, Intake::of(envelopes.len()))
    }

    /// Takes in envelopes that come parents first, as [`Replica::receive`] does. An op of which a parent is neither here nor in
    /// the batch before it is not kept: [`Received::orphans`] counts it. One that builds on an op of the batch that did
    /// not verify waits for a good copy of that.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, payload::SetField};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [ecac_core::public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let mut office = Replica::create(genesis, &key, 1_767_225_600_000)?;
    /// office.author(SetField::new("door", "state", Value::Int(1))?, &key, 1_767_225_600_001)?;
    /// let envelopes: Vec<_> = office.envelopes().collect();
    ///
    /// let mut copy = Replica::join(office.project());
    /// assert_eq!(copy.receive_in_order(&envelopes[1..]).orphans, 1);
    /// assert_eq!(copy.holdings().pending_ops, 0);
    /// assert_eq!(copy.receive_in_order(&envelopes).events.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive_in_order<B: AsRef<[u8]> + Sync>(&mut self, envelopes: &[B]) -> Received {
        let intake = Intake {
            not_here: Some(BTreeSet::new()),
            ..Intake::of(envelopes.len())
        };
        self.receive_into(envelopes, intake)
    }

    fn receive_into<B: AsRef<[u8]> + Sync>(
        &mut self,
        envelopes: &[B],
        mut intake: Intake,
    ) -> Received {
        let envelopes: Vec<&[u8]> = envelopes.iter().map(AsRef::as_ref).collect();
        let mut costs = Costs::default();
        let (threads, mut position) = (self.options.threads, 0);
        check_in_portions(&envelopes, threads, |portion, checked| {
            let together = portion.chunks(TOGETHER).zip(checked.chunks(TOGETHER));
            for (envelopes, checked) in together {
                let mut read = Vec::with_capacity(envelopes.len());
                Incoming::decode_all(envelopes, checked, &mut costs, &mut read);
                self.take_all(&read, position, &mut intake);
                position += envelopes.len();
            }
        });
        self.costs.add(&costs);
        self.decide(intake)
    }

    /// Takes in ops whose signatures were verified before, as [`Replica::receive`] does.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [ecac_core::public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let office = Replica::create(genesis, &key, 1_767_225_600_000)?;
    /// let mut copy = Replica::join(office.project());
    /// copy.ingest(office.ops());
    /// assert_eq!(copy.heads(), office.heads());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ingest(&mut self, ops: impl IntoIterator<Item = VerifiedOp>) -> Received {
        let read: Vec<_> = ops.into_iter().map(|op| Ok(op.into())).collect();
        let mut intake = Intake::of(read.len());
        self.take_all(&read, 0, &mut intake);
        self.decide(intake)
    }

    /// Takes in and decides on what the store has beyond what is admitted.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        self.log.catch_up(self.options.threads, &mut self.costs)?;
        self.replay.advance(&self.log, &mut self.costs);
        Ok(())
    }

    /// Admits what was read of a batch from the position on, or does not, group by group; the log looks ahead for each group.
    fn take_all(
        &mut self,
        read: &[Result<Incoming<'_>, Rejected>],
        from: usize,
        intake: &mut Intake,
    ) {
        let good = read.iter().flatten();
        self.log.read_ahead(good.map(|op| (op.id(), op.body())));
        let mut positions = from..;
        for group in read.chunks(GROUP) {
            let sights = self.log.scout(group.iter().flatten());
            if let [Some(alone)] = &sights[..] {
                self.replay.state().approach(&self.log, alone);
            }
            let mut sights = sights.into_iter();
            for (read, position) in group.iter().zip(&mut positions) {
                match *read {
                    Ok(ref op) => self.take_scouted(op, sights.next().flatten(), intake),
                    Err(Rejected { reason, claimed }) => {
                        self.log.count_rejected();
                        intake.is_not_here(claimed);
                        intake.tell(Event::Rejected {
                            position,
                            reason,
                            claimed,
                        });
                    }
                }
            }
        }
    }

    /// Admits one op of a batch, or does not.
    pub(super) fn take(&mut self, op: VerifiedOp, intake: &mut Intake) {
        self.take_scouted(&op.into(), None, intake);
    }

    /// The same of an op of which this is the sight, if it was scouted.
    fn take_scouted(&mut self, op: &Incoming<'_>, sight: Option<Sight>, intake: &mut Intake) {
        let looks = self.options.places;
        let mut told = core::mem::take(&mut intake.told);
        let waits = intake.not_here.as_ref().map_or(Waits::All, Waits::For);
        self.log
            .ingest_scouted(op, sight, waits, &mut told, &mut self.costs);
        if told.is_empty() && self.log.fault().is_none() {
            intake.orphans += 1;
        }
        // What follows the first was pending, and waited for it.
        for (arrival, released) in told.drain(..).zip([false].into_iter().chain(repeat(true))) {
            intake.arrivals.push(Arrived { arrival, released });
            let is_judged = matches!(arrival.outcome, Outcome::Admitted | Outcome::Refused { .. });
            if arrival.outcome != Outcome::Admitted {
                // What is held outside of the DAG may be dropped again.
                intake.is_not_here(Some(arrival.op));
            }
            if released && is_judged {
                intake.settled.insert(arrival.op);
            }
            let mention = || {
                if !released {
                    return Mention::of(op.id(), op.body(), looks);
                }
                let known = self.log.get(&arrival.op);
                let known = known.map(|op| Mention::of(op.id(), op.body(), looks));
                known.unwrap_or_else(|| Mention::unknown(arrival.op))
            };
            match arrival.outcome {
                Outcome::Admitted => intake.admitted.push(Event::Applied {
                    op: mention(),
                    grant: arrival.op,
                }),
                Outcome::Refused { reason, witness } => intake.tell(Event::Refused {
                    op: mention(),
                    reason,
                    witness,
                }),
                Outcome::Pending | Outcome::Unsupported => {
                    intake.notes.push(Note::Held(mention()));
                }
                Outcome::Duplicate => intake.tell(Event::Duplicate { op: arrival.op }),
            }
        }
        intake.told = told;
    }

    /// Decides on what was admitted, and says what became of the batch.
    pub(super) fn decide(&mut self, intake: Intake) -> Received {
        self.log.forget_ahead();
        let Intake {
            notes,
            mut settled,
            admitted,
            arrivals,
            not_here: _,
            orphans,
            told: _,
        } = intake;
        let mut received = Received {
            arrivals,
            orphans,
            ..Received::default()
        };
        for note in notes {
            match note {
                Note::Told(event) => received.events.push(event),
                Note::Held(op) if settled.insert(op.id) => {
                    let event = self.held(op);
                    if let Event::Pending { missing, .. } = &event {
                        received.missing.extend(missing);
                    }
                    received.events.push(event);
                }
                Note::Held(_) => {}
            }
        }
        let (log, looks, first) = (&self.log, self.options.places, received.events.len());
        if received.events.is_empty() {
            received.events = admitted;
        } else {
            received.events.extend(admitted);
        }
        let turned = self.replay.decide(log, &mut self.costs);
        // New ops come first, in order of admission.
        let mut changes = self.replay.changes(log, &turned);
        for (event, change) in received.events[first..].iter_mut().zip(&mut changes) {
            decided(event, &change);
        }
        received.events.extend(changes.filter_map(|change| {
            let op = log.get(&change.op)?;
            let mention = Mention::of(op.id(), op.body(), looks);
            turned_to(mention, &change)
        }));
        let mut before = Before::new();
        if looks {
            before = shown_before(log, self.replay.state(), &received.events, first);
        }
        self.replay.follow(log, &turned);
        let state = self.replay.state();
        for (place, (before, because)) in before {
            let after = place.shown(log, state);
            if after != before {
                received.changes.push(PlaceChange {
                    place,
                    before,
                    after,
                    because,
                });
            }
        }
        received
    }

    /// What has become of an op that was held outside of the DAG.
    fn held(&self, op: Mention) -> Event {
        if self.log.is_unsupported(&op.id) {
            return Event::Unsupported { op };
        }
        let Some(held) = self.log.get(&op.id) else {
            return Event::Dropped { op };
        };
        let parents = held.body().parents.iter().copied();
        let missing = parents.filter(|parent| !self.log.holds(parent)).collect();
        Event::Pending { op, missing }
    }
}

impl Intake {
    /// That of a batch of about so many ops.
    fn of(ops: usize) -> Self {
        Self {
            admitted: Vec::with_capacity(ops),
            arrivals: Vec::with_capacity(ops),
            ..Self::default()
        }
    }

    /// Notes an op of the batch that may not be here, where somebody asks.
    fn is_not_here(&mut self, op: Option<OpId>) {
        if let Some(all) = &mut self.not_here {
            all.extend(op);
        }
    }

    fn tell(&mut self, event: Event) {
        self.notes.push(Note::Told(event));
    }
}

/// What the places show whose ops change, as the events from `first` on say.
fn shown_before(log: &Log, state: &State, events: &[Event], first: usize) -> Before {
    let mut before = Before::new();
    for (at, event) in events.iter().enumerate().skip(first) {
        let (Event::Applied { op, .. }
        | Event::Reinstated { op, .. }
        | Event::RolledBack { op, .. }) = event
        else {
            continue;
        };
        if let Some(place) = &op.place {
            let shown = || (place.shown(log, state), Vec::new());
            let (_, because) = before.entry(place.clone()).or_insert_with(shown);
            because.push(at);
        }
    }
    before
}

/// Makes the event of an op that was admitted, which says that the op is applied, that of the decision on it.
fn decided(event: &mut Event, change: &Change) {
    debug_assert_eq!(event.op(), Some(change.op), "told in order of admission");
    let Event::Applied { op, grant } = &mut *event else {
        return;
    };
    match change.decision {
        Decision::Applied { grant: by } => *grant = by,
        Decision::Denied { reason, denial } => {
            let op = op.clone();
            *event = Event::Denied { op, reason, denial };
        }
        Decision::Refused { .. } | Decision::Pending { .. } | Decision::Unsupported => {
            debug_assert!(false, "what was admitted is decided on");
        }
    }
}

/// The event of a decision that turned on an older op.
fn turned_to(op: Mention, change: &Change) -> Option<Event> {
    let cause = change.cause?;
    match change.decision {
        Decision::Applied { grant } => Some(Event::Reinstated { op, grant, cause }),
        Decision::Denied { reason, denial } => Some(Event::RolledBack {
            op,
            reason,
            denial,
            cause,
        }),
        Decision::Refused { .. } | Decision::Pending { .. } | Decision::Unsupported => None,
    }
}
