//! Looking through what was taken back, with somebody who answers.

use std::collections::BTreeMap;

use ecac_core::TakenBack;

use crate::color::Paint;
use crate::failure::Failure;
use crate::table::{self, Table};
use crate::told::{self, Teller};
use crate::{output, text};

/// Most rows of a group that are shown at once.
const ROWS_MAX: usize = 50;

/// Asks a question, and gives back what was typed.
type Ask<'a> = &'a mut dyn FnMut(&str) -> Result<String, Failure>;

/// Work of one author in one object.
struct Group<'a> {
    who: String,
    object: String,
    ops: Vec<&'a TakenBack>,
}

/// What somebody decides.
enum Choice {
    Yes,
    No,
    Each,
    Quit,
}

/// Shows what was taken back by author and object, in each group by time, and asks what to give back. `None` if whoever was
/// asked broke off.
pub(crate) fn review<'a>(
    lost: &[&'a TakenBack],
    teller: &Teller<'_>,
    ask: Ask<'_>,
) -> Result<Option<Vec<&'a TakenBack>>, Failure> {
    let mut chosen = Vec::new();
    let groups = groups(lost, teller);
    let count = groups.len();
    for (number, group) in groups.into_iter().enumerate() {
        output::note(&shown(&group, teller, number + 1, count));
        let ops = text::count(group.ops.len(), "op");
        let question = format!("Give {ops} back? [y]es, [n]o, [e]ach by itself, [q]uit: ");
        match choice(&question, true, ask)? {
            Choice::Yes => chosen.extend(group.ops),
            Choice::No => {}
            Choice::Quit => return Ok(None),
            Choice::Each => {
                for it in group.ops {
                    let what = teller.what(&it.op);
                    let question = format!("{} {what}? [y]es, [n]o, [q]uit: ", text::op(&it.op));
                    match choice(&question, false, ask)? {
                        Choice::Yes => chosen.push(it),
                        Choice::No | Choice::Each => {}
                        Choice::Quit => return Ok(None),
                    }
                }
            }
        }
    }
    Ok(Some(chosen))
}

/// The groups in the order of names, each in the order of stamps.
fn groups<'a>(lost: &[&'a TakenBack], teller: &Teller<'_>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(String, String), Vec<&'a TakenBack>> = BTreeMap::new();
    for it in lost {
        let key = (whose(it, teller), it.place.object.to_string());
        groups.entry(key).or_default().push(it);
    }
    let group = |((who, object), mut ops): ((String, String), Vec<&'a TakenBack>)| {
        ops.sort_by_key(|it| (it.stamp_ms, it.op));
        Group { who, object, ops }
    };
    groups.into_iter().map(group).collect()
}

/// The author; of a device with the persons for whom it signed.
pub(crate) fn whose(lost: &TakenBack, teller: &Teller<'_>) -> String {
    let author = teller.people.show(&lost.author);
    let others = lost.persons.iter().filter(|it| **it != lost.author);
    let others: Vec<String> = others.map(|it| teller.people.show(it)).collect();
    let ended = if lost.by_ended_device { ", lost" } else { "" };
    if others.is_empty() {
        author
    } else {
        format!("{author} for {}{ended}", others.join(", "))
    }
}

fn shown(group: &Group<'_>, teller: &Teller<'_>, number: usize, count: usize) -> String {
    let mut table = Table::new(["N", "WHEN", "OP", "TAKEN BACK BY", "SHOWS NOW", "WHAT"]);
    for (number, it) in group.ops.iter().enumerate().take(ROWS_MAX) {
        table.push([
            (number + 1).to_string(),
            text::instant(it.stamp_ms),
            text::op(&it.op),
            format!("{} ({})", teller.people.show(&it.denier), it.reason),
            now(it, teller),
            teller.what(&it.op),
        ]);
    }
    let more = group.ops.len().saturating_sub(ROWS_MAX);
    let more = if more > 0 {
        format!("… and {more} more; [e]ach shows them\n")
    } else {
        String::new()
    };
    let title = format!(
        "{number} of {count}: by {} in {}",
        group.who,
        text::name(&group.object)
    );
    let width = table::terminal_width();
    format!(
        "\n{}\n{}{more}",
        Paint::Care.err(&title),
        table.render(width)
    )
}

/// What the place shows as long as the op is not given back.
pub(crate) fn now(lost: &TakenBack, teller: &Teller<'_>) -> String {
    let (object, field) = (&lost.place.object, &lost.place.field);
    let shown = match &lost.place.element {
        None => teller.replica.get(object, field).value,
        Some(element) => {
            let elements = teller.replica.set(object, field).value;
            let found = elements.into_iter().find(|it| it.name == element.as_str());
            found.map(|it| it.shown)
        }
    };
    shown.as_ref().map_or_else(|| "-".to_owned(), told::value)
}

/// Asks until there is an answer; the end of input is one.
fn choice(question: &str, has_each: bool, ask: Ask<'_>) -> Result<Choice, Failure> {
    loop {
        let answer = ask(question)?;
        match answer.to_lowercase().as_str() {
            "y" | "yes" => return Ok(Choice::Yes),
            "n" | "no" => return Ok(Choice::No),
            "e" | "each" if has_each => return Ok(Choice::Each),
            "q" | "quit" | "" => return Ok(Choice::Quit),
            _ => output::note("that is none of the answers\n"),
        }
    }
}
