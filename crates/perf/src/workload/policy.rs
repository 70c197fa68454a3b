//! Writers who race while three administrators revoke, withdraw and grant again.

use std::collections::{BTreeSet, VecDeque};

use ecac_core::credential::Role;
use ecac_core::{ProjectId, VerifiedOp};

use super::cast::{Author, Mark, Project, grant, revoke};

const EDITORS: usize = 64;
const ADMINISTRATORS: usize = 3;
/// Editors who lose their grant in a round, and get another.
const ENDED: usize = 2;
/// An administrator's turn comes after so many of the editors.
const STRIDE: usize = 10;
/// Turns of a round: every editor's, and seven of administrators, which are one op of ten.
const TURNS: usize = EDITORS + 3 * ENDED + 1;

/// What an administrator does next.
#[derive(Debug)]
enum Act {
    /// Ends the grant of an editor: by a revocation, or by a bit of the status list.
    End { editor: usize, by_list: bool },
    /// Carries the editor's next credential into the log.
    Present { editor: usize },
    /// Grants it.
    Grant { editor: usize },
    /// Lists a spare key of the issuer, or takes the oldest back.
    Key,
}

/// The workload.
///
/// Each editor has one administrator, who revokes with a `Revoke` or, one time of four, with a bit of the status list, and
/// then grants again under a new credential with a bit of its own. The editor goes on from that grant in the next round. What
/// it wrote meanwhile is rolled back.
#[derive(Debug)]
pub struct Policy {
    project: Project,
    editors: Vec<Author>,
    administrators: Vec<Author>,
    /// The last op of each editor when the round began.
    seen: Vec<Mark>,
    /// The bit of each editor's credential.
    bits: Vec<u64>,
    set: BTreeSet<u64>,
    next_bit: u64,
    /// New grants, which their editors learn of when the next round begins, and those that they know of.
    granted: Vec<(usize, Mark)>,
    learnt: Vec<Option<Mark>>,
    carriers: Vec<Option<Mark>>,
    acts: VecDeque<Act>,
    spares: VecDeque<String>,
    next_spare: u64,
    turn: usize,
}

impl Policy {
    /// 64 editors and three administrators.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut project = Project::found("policy", seed);
        let bits: Vec<u64> = (0..EDITORS as u64).collect();
        let editors: Vec<Author> = bits
            .iter()
            .map(|&bit| project.enlist(&[Role::Editor], Some(bit)))
            .collect();
        let roles = [Role::PolicyAdmin, Role::IssuerAdmin];
        let administrators = (0..ADMINISTRATORS)
            .map(|_| project.enlist(&roles, None))
            .collect();
        Self {
            project,
            seen: editors.iter().map(|editor| editor.last).collect(),
            learnt: vec![None; editors.len()],
            carriers: vec![None; editors.len()],
            editors,
            administrators,
            next_bit: bits.len() as u64,
            bits,
            set: BTreeSet::new(),
            granted: Vec::new(),
            acts: VecDeque::new(),
            spares: VecDeque::new(),
            next_spare: 1,
            turn: 0,
        }
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.project.id()
    }

    /// The ops of the setup.
    pub fn take_setup(&mut self) -> Vec<VerifiedOp> {
        self.project.take_ops()
    }

    fn begin_round(&mut self) {
        self.seen = self.editors.iter().map(|editor| editor.last).collect();
        for (editor, mark) in self.granted.drain(..) {
            self.learnt[editor] = Some(mark);
        }
        let mut ended = BTreeSet::new();
        while ended.len() < ENDED {
            ended.insert(self.project.index(EDITORS));
        }
        for editor in ended {
            let by_list = self.project.below(4) == 0;
            self.acts.push_back(Act::End { editor, by_list });
            self.acts.push_back(Act::Present { editor });
            self.acts.push_back(Act::Grant { editor });
        }
        self.acts.push_back(Act::Key);
    }

    fn recent(&mut self, count: usize) -> Vec<Mark> {
        (0..count)
            .map(|_| self.seen[self.project.index(EDITORS)])
            .collect()
    }

    fn edit(&mut self, editor: usize) -> VerifiedOp {
        let mut others = self.recent(3);
        if let Some(mark) = self.learnt[editor].take() {
            others[0] = mark;
        }
        let payload = self.project.edit();
        self.project
            .write(&mut self.editors[editor], &others, payload)
    }

    fn administer(&mut self, act: &Act) -> VerifiedOp {
        let others = match act {
            Act::End { .. } | Act::Key => self.recent(3),
            Act::Present { .. } | Act::Grant { .. } => Vec::new(),
        };
        let (editor, payload) = match *act {
            Act::End { editor, by_list } => {
                let payload = if by_list {
                    self.set.insert(self.bits[editor]);
                    self.project.status_list(&self.set)
                } else {
                    revoke(&self.editors[editor])
                };
                (editor, payload)
            }
            Act::Present { editor } => {
                self.bits[editor] = self.next_bit;
                self.next_bit += 1;
                let bit = Some(self.bits[editor]);
                let credential = self
                    .project
                    .credential(&self.editors[editor], Role::Editor, bit);
                (editor, credential)
            }
            Act::Grant { editor } => {
                let carrier = self.carriers[editor].take();
                let carrier = carrier.expect("a credential comes before its grant");
                (editor, grant(&self.editors[editor], carrier))
            }
            Act::Key => {
                let kid = format!("spare-{}", self.next_spare);
                let payload = if self.spares.len() < 8 {
                    let key = ecac_core::public_key(&self.project.new_key());
                    let payload = self.project.issuer_key(&kid, key);
                    self.spares.push_back(kid);
                    self.next_spare += 1;
                    payload
                } else {
                    let oldest = self.spares.pop_front();
                    let oldest = oldest.expect("there are eight");
                    self.project.issuer_key_revoke(&oldest)
                };
                (self.project.index(EDITORS), payload)
            }
        };
        let administrator = &mut self.administrators[editor % ADMINISTRATORS];
        let op = self.project.write(administrator, &others, payload);
        let mark = Mark(op.id());
        match act {
            Act::Present { .. } => self.carriers[editor] = Some(mark),
            Act::Grant { .. } => self.granted.push((editor, mark)),
            Act::End { .. } | Act::Key => {}
        }
        op
    }
}

impl Iterator for Policy {
    type Item = VerifiedOp;

    fn next(&mut self) -> Option<VerifiedOp> {
        if self.turn == 0 {
            self.begin_round();
        }
        let turn = self.turn;
        self.turn = (turn + 1) % TURNS;
        if turn % STRIDE == STRIDE - 1
            && let Some(act) = self.acts.pop_front()
        {
            return Some(self.administer(&act));
        }
        Some(self.edit(turn - turn / STRIDE))
    }
}
