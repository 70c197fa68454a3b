//! Leave: under which titles a past admits an op of an author without links, by the roll of the author's chain.
//!
//! A title that no denial touches lives in every past, whatever is sealed or cosigned. In a project that
//! [is plain](Authority::is_plain) a grant that a denial in the past kills stays killed for all that follows, so a roll only has
//! to take in what is new; elsewhere a seal can make the denial stale, so what is killed stays open. A grant of `root` that needs
//! several signatures is open until it has them: then it has them for all that follows.

use core::hint::black_box;

use super::admission::Applicant;
use super::judge::Judge;
use super::register::Authority;
use super::roll::{Answers, Roll, TagsId};
use super::title::Title;
use super::warrants::WarrantsId;
use crate::costs::Costs;
use crate::dag::{Dag, Past};
use crate::id::PublicKey;
use crate::name::Tags;
use crate::need::{Action, Need, Reach};
use crate::place_id::FieldId;
use crate::schema_map::{SchemaRule, tags_of};
use crate::tight;

/// What a past allows.
#[derive(Debug)]
pub(crate) enum Leave {
    /// The op is admitted under this set of titles.
    Known(WarrantsId),
    /// It is admitted under these titles.
    Titles {
        titles: Vec<Title>,
        /// The author's roll, where it is another one now.
        roll: Option<Roll>,
        /// Data with these tags is admitted likewise.
        answers: Option<TagsId>,
    },
}

impl Leave {
    /// Under these titles, whatever the project is like.
    pub(crate) const fn of(titles: Vec<Title>) -> Self {
        Self::Titles {
            titles,
            roll: None,
            answers: None,
        }
    }
}

/// What a title comes to in a past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It counts, and lives.
    Holds,
    /// It can come to count.
    Open,
    /// It counts for nothing, there and in all that follows.
    Falls,
}

/// What an op asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// To write data with these tags.
    Edit(TagsId),
    Need(&'a Need),
}

impl Authority {
    /// Whether nothing but genesis gives tags to fields: those of a field are always the same then.
    pub(crate) fn only_genesis_gives_tags(&self) -> bool {
        self.rules.iter().all(|&(op, _)| op == 0)
    }

    /// The tags of the field, where nothing but genesis gives any.
    pub(crate) fn tags_of_field(&self, field: FieldId) -> Option<TagsId> {
        if !self.only_genesis_gives_tags() {
            return None;
        }
        self.field_tags.get(field as usize).copied()
    }

    /// What writing data with these tags needs.
    pub(crate) fn need_of(&self, tags: TagsId) -> Need {
        Need {
            action: Action::Edit,
            reach: Reach::Meets(self.tag_sets[tags as usize].clone()),
            person: None,
        }
    }

    /// Of such tags the secret ones, where nothing but genesis marks any.
    pub(super) fn secret_of(&self, tags: TagsId) -> Option<&Tags> {
        let only_genesis = self.marks.last_key_value().is_none_or(|(&op, _)| op == 0);
        self.secret_sets.get(tags as usize).filter(|_| only_genesis)
    }

    /// Of how many fields the tags are known.
    pub(crate) const fn fields_learnt(&self) -> usize {
        self.field_tags.len()
    }

    /// The tags of a field that no op has touched, where nothing but genesis gives any, if a field with the same tags is known.
    pub(crate) fn tags_of_new_field(&self, object: &str, field: &str) -> Option<TagsId> {
        if !self.only_genesis_gives_tags() {
            return None;
        }
        let mut matching = self.genesis_rules().filter(|it| it.matches(object, field));
        if let (Some(rule), None) = (matching.next(), matching.next()) {
            return self.tags_id(&rule.tags);
        }
        self.tags_id(&tags_of(self.genesis_rules(), object, field))
    }

    fn genesis_rules(&self) -> impl Iterator<Item = &SchemaRule> {
        let genesis = self.rules.iter().filter(|(op, _)| *op == 0);
        genesis.flat_map(|(_, rules)| rules)
    }

    fn tags_id(&self, tags: &Tags) -> Option<TagsId> {
        let known = self.tag_sets.iter().position(|it| it == tags)?;
        TagsId::try_from(known).ok()
    }

    /// Learns the tags that genesis gives to the next field, which are these where they have been found out.
    pub(crate) fn learn_tags(&mut self, object: &str, field: &str, known: Option<TagsId>) {
        let id = known.unwrap_or_else(|| {
            let tags = tags_of(self.genesis_rules(), object, field);
            self.tags_id(&tags).unwrap_or_else(|| self.push_tags(tags))
        });
        tight::push(&mut self.field_tags, id);
    }

    fn push_tags(&mut self, tags: Tags) -> TagsId {
        let id = TagsId::try_from(self.tag_sets.len()).expect("fewer sets of tags than fields");
        let marks = self.marks.get(&0).into_iter();
        let secret = marks.flat_map(|(_, marked)| marked.intersection(&tags));
        self.secret_sets.push(secret.cloned().collect());
        self.tag_sets.push(tags);
        id
    }

    /// Whether any grant to the author, in time or not, allows to do so: whether reading ahead is likely of use.
    pub(crate) fn may_come_to(&self, action: Action, author: &PublicKey) -> bool {
        let need = Need::any(action);
        self.grants_of(author).iter().any(|&grant| {
            let right = self.grants[grant].right();
            right.is_some_and(|(role, _)| need.permitted_by(role, author))
        })
    }

    /// The titles in the past under which the op is admitted; `None` where there is none, or where it takes more to find out: the
    /// past holds an equivocation of the author, or the author is a device.
    pub(crate) fn leave(
        &self,
        dag: &Dag,
        past: &Past,
        applicant: &Applicant,
        asked: Asked<'_>,
        costs: &mut Costs,
    ) -> Option<Leave> {
        if applicant.own.surplus > 0 {
            return None;
        }
        let chain = applicant.own.continues;
        let roll = chain.and_then(|chain| self.rolls.get(chain as usize));
        let roll = roll.filter(|roll| !roll.left_out || self.is_plain());
        let answer = match asked {
            Asked::Edit(tags) => roll.and_then(|roll| {
                let known = roll.answers.get(tags)?;
                let set = &self.warrants[known as usize];
                let is_in_time = set.are_in_time(applicant.now_ms);
                is_in_time.then_some((known, roll.is_whole && !set.touched))
            }),
            Asked::Need(_) => None,
        };
        if let Some((known, true)) = answer {
            return Some(Leave::Known(known));
        }
        if !self.links_of(&applicant.author).is_empty() {
            return None;
        }
        let renewed = self.renewed(roll, dag, past, applicant, costs);
        if let (Some((known, _)), None) = (answer, &renewed) {
            return Some(Leave::Known(known));
        }
        let need = match asked {
            Asked::Need(need) => need,
            Asked::Edit(tags) => &self.need_of(tags),
        };
        let held = renewed.as_ref().or(roll).map_or(&[][..], |it| &it.held);
        let mut titles = held.to_vec();
        titles.retain(|title| {
            let grant = &self.grants[title.grant];
            grant.right().is_some_and(|(role, scope)| {
                need.reached_by(role, scope) && need.permitted_by(role, &grant.subject)
            })
        });
        let waits = |title: &Title| {
            let vouched = self.grants[title.grant].vouched();
            vouched.is_some_and(|it| !it.credential.valid_from.reached_by_ms(applicant.now_ms))
        };
        let waiting = titles.iter().any(waits);
        titles.retain(|&title| self.is_in_time(title, applicant.now_ms));
        let answers = match asked {
            Asked::Edit(tags) => Some(tags).filter(|_| !waiting),
            Asked::Need(_) => None,
        };
        titles.sort_unstable();
        (!titles.is_empty()).then_some(Leave::Titles {
            titles,
            roll: renewed,
            answers,
        })
    }

    /// Reads what admitting the next op of the chain will read.
    pub(crate) fn approach(&self, chain: u32) {
        let roll = self.rolls.get(chain as usize);
        let known = roll.and_then(|roll| roll.answers.first());
        black_box(known.map(|known| self.warrants[known as usize].touched));
    }

    /// Whether the credential of the title is valid at that time, if it has one.
    pub(super) fn is_in_time(&self, title: Title, now_ms: u64) -> bool {
        let vouched = self.grants[title.grant].vouched();
        vouched.is_none_or(|vouched| {
            let paper = &vouched.credential;
            paper.valid_from.reached_by_ms(now_ms) && !paper.valid_until.reached_by_ms(now_ms)
        })
    }

    /// The roll with what is new in the past, if anything is.
    fn renewed(
        &self,
        roll: Option<&Roll>,
        dag: &Dag,
        past: &Past,
        applicant: &Applicant,
        costs: &mut Costs,
    ) -> Option<Roll> {
        let (known, open, held) = match roll {
            Some(roll) => (roll.known, &roll.open[..], &roll.held[..]),
            None => (0, &[][..], &[][..]),
        };
        let new = &self.grants_of(&applicant.author)[known..];
        let mut is_same = roll.is_some() && new.is_empty();
        let mut weights = Vec::with_capacity(held.len() + open.len() + new.len());
        for &title in held {
            let weight = self.weight_of_seen(title, dag, past, costs);
            is_same &= weight == Weight::Holds;
            weights.push((title, weight));
        }
        let new = new.iter().map(|&grant| Title::own(grant));
        for title in open.iter().copied().chain(new) {
            let weight = self.weight(title, dag, past, costs);
            is_same &= weight == Weight::Open;
            weights.push((title, weight));
        }
        if is_same {
            return None;
        }
        let all = |of| {
            let weights = weights.iter().filter(move |(_, weight)| *weight == of);
            weights.map(|&(title, _)| title)
        };
        let counts = |title: Title| self.grants[title.grant].right().is_some();
        let open: Vec<Title> = all(Weight::Open).collect();
        let mut held: Vec<Title> = all(Weight::Holds).collect();
        held.shrink_to_fit();
        Some(Roll {
            is_whole: open.is_empty(),
            known: self.grants_of(&applicant.author).len(),
            open,
            held,
            left_out: roll.is_some_and(|roll| roll.left_out) || all(Weight::Falls).any(counts),
            answers: Answers::default(),
        })
    }

    /// What the author's own title comes to in the past.
    fn weight(&self, title: Title, dag: &Dag, past: &Past, costs: &mut Costs) -> Weight {
        let grant = &self.grants[title.grant];
        if !dag.contains(past, grant.op, costs) {
            return Weight::Open;
        }
        if grant.right().is_none() {
            return Weight::Falls;
        }
        let is_short = grant.hands_on_root && {
            let mut judge = Judge::new(dag, self, costs);
            !judge.in_past(past, |judge, view| judge.is_full(grant.op, view))
        };
        if is_short {
            Weight::Open
        } else {
            self.weight_of_seen(title, dag, past, costs)
        }
    }

    /// The same, where the title counts there if no denial kills it.
    fn weight_of_seen(&self, title: Title, dag: &Dag, past: &Past, costs: &mut Costs) -> Weight {
        let is_killed = self.is_touched(title)
            && Judge::for_verdicts(dag, self, costs)
                .title_killed_in(title, past)
                .is_some();
        match (is_killed, self.is_plain()) {
            (false, _) => Weight::Holds,
            (true, true) => Weight::Falls,
            (true, false) => Weight::Open,
        }
    }

    /// Keeps what was found out for the next op of the chain.
    pub(super) fn keep_roll(
        &mut self,
        chain: u32,
        roll: Option<Roll>,
        answers: Option<TagsId>,
        warrants: WarrantsId,
    ) {
        let at = chain as usize;
        if self.rolls.len() <= at {
            self.rolls.resize_with(at + 1, Roll::default);
        }
        let kept = &mut self.rolls[at];
        if let Some(roll) = roll {
            *kept = roll;
        }
        if let Some(tags) = answers {
            kept.answers.keep(tags, warrants);
        }
    }

    /// The key has one more grant, or one more link.
    pub(super) fn note_title(&mut self, dag: &Dag, key: &PublicKey) {
        for &chain in dag.chains_of(key) {
            if let Some(roll) = self.rolls.get_mut(chain as usize) {
                roll.is_whole = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_field_has_the_tags_of_all_rules_that_match() {
        let rule = |object: &str, field: &str, tag: &str| SchemaRule {
            object: object.try_into().unwrap(),
            field: field.try_into().unwrap(),
            tags: [tag.try_into().unwrap()].into(),
        };
        let rules = [rule("*", "*", "plain"), rule("o", "pay", "secret")];
        let mut authority = Authority::default();
        authority.rules.push((0, rules.into()));
        authority.learn_tags("o", "title", None);
        assert_eq!(authority.tags_of_new_field("p", "pay"), Some(0));
        assert_eq!(authority.tags_of_new_field("o", "pay"), None);
        authority.learn_tags("o", "pay", None);
        assert_eq!(authority.tags_of_new_field("o", "pay"), Some(1));
        assert_eq!(authority.tags_of_new_field("o", "body"), Some(0));
        let tags = [&authority.tag_sets[0], &authority.tag_sets[1]].map(Tags::len);
        assert_eq!(tags, [1, 2]);
    }
}
