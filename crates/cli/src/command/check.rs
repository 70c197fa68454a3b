//! `ecac check`: whether the order in which the ops of a log arrive has a say.

use std::collections::BTreeMap;

use chacha20::ChaCha20Rng;
use ecac_artifact::{Digest, exit};
use ecac_core::{Costs, Decision, OpId, ProjectId, export_trust};
use rand_core::{Rng as _, SeedableRng as _};
use serde::Serialize;

use crate::command::decisions;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::{self, Form, Format};
use crate::replica::{Replica, Source};
use crate::table::{self, Table};
use crate::text;

/// Digits of a digest in the table.
const DIGITS: usize = 16;
/// How many times the replay is brought up to date while the ops arrive.
const ADVANCES: usize = 16;

/// Check that the order in which the ops arrive has no say
///
/// The ops arrive as the logs have them, and then in N random orders. Each time the replay is brought up to date while they
/// come in, so that ops wait for their parents and are rolled back; in the end decisions, state and trust view
/// must be the same, byte for byte. The orders are a function of the seed.
///
/// Without LOG the ops are those of the project here or above. If one differs, the command says which op and exits with 6.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |arg| arg.required(false)), after_help = "Examples:
  ecac check                      the project here or above
  ecac check ops.cborseq
  ecac check ops.cborseq --shuffle 100 --seed 7
  ecac check mine.cborseq theirs.cborseq --json")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Try N random orders of arrival
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    shuffle: u32,
    /// Seed of the random orders
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    form: Form,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let op_log = args.source.read_in(globals)?;
    if !op_log.dropped.is_empty() {
        let cause = format!(
            "the envelopes of {} were dropped here",
            text::count(op_log.dropped.len(), "op")
        );
        return Err(Failure::new(
            exit::UNDECIDED,
            "let every op arrive once more",
            cause,
            "take them back with `ecac sync --older`, or name an op log that somebody exported who does not prune: `ecac check LOG`",
        ));
    }
    let items = op_log.file.items();
    let first = Outcome::of(op_log.project, &items)?;
    let mut answer = Answer {
        format: "ecac-check-v1",
        project: op_log.project,
        items: items.len(),
        ops: first.decisions.len(),
        seed: args.seed,
        same: true,
        orders: vec![Order::of(0, &first, None)],
    };
    let mut shuffled = items.clone();
    let mut random = ChaCha20Rng::seed_from_u64(args.seed);
    for number in 1..=args.shuffle {
        shuffle(&mut shuffled, &mut random);
        let outcome = Outcome::of(op_log.project, &shuffled)?;
        let difference = first.difference(&outcome);
        answer.same &= difference.is_none();
        answer.orders.push(Order::of(number, &outcome, difference));
    }
    match args.form.format() {
        Format::Text => output::print(answer.to_text().as_bytes())?,
        Format::Json => output::print_json(&answer)?,
    }
    answer.verdict(&args.source.logs.label())
}

/// Brings the items into a random order (Fisher and Yates).
fn shuffle<T>(items: &mut [T], random: &mut ChaCha20Rng) {
    for left in (1..items.len()).rev() {
        // The bias is below 2^-32 for fewer than 2^32 items.
        let wide = u128::from(random.next_u64()) * (left as u128 + 1);
        let chosen = usize::try_from(wide >> 64).expect("at most `left`, which is a usize");
        items.swap(left, chosen);
    }
}

/// What items amount to that arrived in one order.
struct Outcome {
    decisions: BTreeMap<OpId, Decision>,
    decisions_sha256: Digest,
    state_sha256: Digest,
    trust_sha256: Digest,
}

/// What is not the same in two orders.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case", tag = "what")]
enum Difference {
    /// The op with the least id of those of which something else is decided.
    Decision {
        op: OpId,
        first: Option<Decided>,
        here: Option<Decided>,
    },
    /// The effect of some op of trust or policy.
    Effects,
    State,
    Trust,
}

/// A decision on an op.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Decided {
    verdict: &'static str,
    reason: Option<&'static str>,
    witness: Option<OpId>,
}

impl Outcome {
    fn of(project: ProjectId, items: &[&[u8]]) -> Result<Self, Failure> {
        let mut costs = Costs::default();
        let (log, replay) = Replica::arrive(project, items, ADVANCES);
        let state = replay.state().export(&log);
        let trust = export_trust(&log, &mut costs);
        let decisions = replay.decisions(&log);
        Ok(Self {
            decisions_sha256: Digest::of(&decisions::lines(&log, &replay)?),
            state_sha256: Digest::of(&state),
            trust_sha256: Digest::of(&trust),
            decisions,
        })
    }

    fn difference(&self, other: &Self) -> Option<Difference> {
        let ids = self.decisions.keys().chain(other.decisions.keys());
        let differs = |id: &&OpId| self.decisions.get(id) != other.decisions.get(id);
        if let Some(op) = ids.filter(differs).min() {
            return Some(Difference::Decision {
                op: *op,
                first: self.decisions.get(op).map(Decided::of),
                here: other.decisions.get(op).map(Decided::of),
            });
        }
        if self.decisions_sha256 != other.decisions_sha256 {
            Some(Difference::Effects)
        } else if self.state_sha256 != other.state_sha256 {
            Some(Difference::State)
        } else {
            (self.trust_sha256 != other.trust_sha256).then_some(Difference::Trust)
        }
    }
}

impl Decided {
    fn of(decision: &Decision) -> Self {
        Self {
            verdict: decision.verdict(),
            reason: decision.reason(),
            witness: decision.witness(),
        }
    }

    fn shown(decided: Option<&Self>) -> String {
        let Some(decided) = decided else {
            return "not there".to_owned();
        };
        let mut text = decided.verdict.to_owned();
        if let Some(reason) = decided.reason {
            text.push_str(&format!(" ({reason})"));
        }
        if let Some(witness) = decided.witness {
            text.push_str(&format!(" by {witness}"));
        }
        text
    }
}

/// The document of `--format json`.
#[derive(Serialize)]
struct Answer {
    format: &'static str,
    project: ProjectId,
    items: usize,
    ops: usize,
    seed: u64,
    same: bool,
    /// The order of the logs, and then the random ones.
    orders: Vec<Order>,
}

#[derive(Serialize)]
struct Order {
    /// 0 is the order of the logs.
    order: u32,
    decisions_sha256: String,
    state_sha256: String,
    trust_sha256: String,
    difference: Option<Difference>,
}

impl Order {
    fn of(order: u32, outcome: &Outcome, difference: Option<Difference>) -> Self {
        Self {
            order,
            decisions_sha256: outcome.decisions_sha256.to_string(),
            state_sha256: outcome.state_sha256.to_string(),
            trust_sha256: outcome.trust_sha256.to_string(),
            difference,
        }
    }
}

impl Answer {
    fn to_text(&self) -> String {
        let mut table = Table::new(["ORDER", "DECISIONS", "STATE", "TRUST"]);
        let short = |digest: &str| digest.chars().take(DIGITS).collect::<String>();
        let first = &self.orders[0];
        table.push([
            "logs".to_owned(),
            short(&first.decisions_sha256),
            short(&first.state_sha256),
            short(&first.trust_sha256),
        ]);
        for order in &self.orders[1..] {
            let cell = |here: &str, first: &str| {
                if here == first {
                    "same".to_owned()
                } else {
                    short(here)
                }
            };
            table.push([
                order.order.to_string(),
                cell(&order.decisions_sha256, &first.decisions_sha256),
                cell(&order.state_sha256, &first.state_sha256),
                cell(&order.trust_sha256, &first.trust_sha256),
            ]);
        }
        let shuffled = self.orders.len() - 1;
        let differing = self.orders.iter().filter(|it| it.difference.is_some());
        format!(
            "project {}\n{}, {}; seed {}\n\n{}\n{} of {shuffled} random orders amount to the same\n",
            self.project,
            text::count(self.items, "item"),
            text::count(self.ops, "op"),
            self.seed,
            table.render(table::terminal_width()),
            shuffled - differing.count(),
        )
    }

    /// The failure that the first difference is.
    fn verdict(&self, label: &str) -> Result<(), Failure> {
        let differing = self.orders.iter().find_map(|order| {
            let difference = order.difference.as_ref()?;
            Some((order.order, difference))
        });
        let Some((order, difference)) = differing else {
            return Ok(());
        };
        let cause = match difference {
            Difference::Decision { op, first, here } => format!(
                "in order {order} op {op} is {}, in that of the logs {}",
                Decided::shown(here.as_ref()),
                Decided::shown(first.as_ref())
            ),
            Difference::Effects => {
                format!("in order {order} all ops are decided alike, but an effect is another")
            }
            Difference::State => {
                format!("in order {order} all ops are decided alike, but the state is another")
            }
            Difference::Trust => {
                format!("in order {order} all ops are decided alike, but the trust view is another")
            }
        };
        Err(Failure::new(
            exit::VERIFICATION,
            format!("get the same from every order of {label}"),
            cause,
            format!(
                "this is a defect of the engine; please report the logs with --seed {}",
                self.seed
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use ecac_bench::{Params, Scenario};
    use ecac_core::{project_of, split_op_log};

    use super::*;

    fn run() -> Vec<u8> {
        let params = Params {
            scenario: Scenario::OfflineRevoke,
            seed: 1,
            ops: 120,
        };
        ecac_bench::run(&params, "test").expect("a run").ops
    }

    fn answer(difference: Option<Difference>, outcome: &Outcome) -> Answer {
        Answer {
            format: "test",
            project: OpId::from_bytes([1; 32]),
            items: 0,
            ops: 0,
            seed: 5,
            same: difference.is_none(),
            orders: vec![
                Order::of(0, outcome, None),
                Order::of(1, outcome, difference),
            ],
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_by_the_seed() {
        let order = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            shuffle(&mut items, &mut ChaCha20Rng::seed_from_u64(seed));
            items
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let mut sorted = order(1);
        assert_ne!(sorted, (0..100).collect::<Vec<_>>());
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        // Each of six orders of three falls about as often.
        let mut random = ChaCha20Rng::seed_from_u64(0);
        let mut counts = BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut items, &mut random);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn an_order_that_decides_otherwise_fails_with_the_op() {
        let bytes = run();
        let items = split_op_log(&bytes).unwrap();
        let project = project_of(&items).unwrap();
        let first = Outcome::of(project, &items).unwrap();
        assert_eq!(first.difference(&first), None);
        assert!(answer(None, &first).verdict("ops").is_ok());

        // An arrival that loses the last op.
        let last = ecac_core::Op::decode(items[items.len() - 1], &mut Costs::default()).unwrap();
        let lossy = Outcome::of(project, &items[..items.len() - 1]).unwrap();
        let difference = first.difference(&lossy);
        let Some(Difference::Decision {
            op,
            first: Some(_),
            here: None,
        }) = &difference
        else {
            panic!("{difference:?}");
        };
        assert_eq!(*op, last.id());
        assert_eq!(
            lossy
                .difference(&first)
                .map(|it| matches!(it, Difference::Decision { first: None, .. })),
            Some(true)
        );
        let answer = answer(difference, &first);
        let failure = answer.verdict("ops").unwrap_err();
        assert_eq!(failure.code, exit::VERIFICATION);
        let text = failure.to_string();
        assert!(
            text.contains(&format!("in order 1 op {} is not there", last.id())),
            "{text}"
        );
        assert!(text.contains("--seed 5"), "{text}");
        assert!(answer.to_text().contains("\n0 of 1 random orders"));
    }

    #[test]
    fn an_order_with_another_state_or_trust_view_fails() {
        let bytes = run();
        let items = split_op_log(&bytes).unwrap();
        let project = project_of(&items).unwrap();
        let first = Outcome::of(project, &items).unwrap();
        let mut other = Outcome::of(project, &items).unwrap();
        other.trust_sha256 = Digest::of(b"another");
        assert_eq!(first.difference(&other), Some(Difference::Trust));
        other.state_sha256 = Digest::of(b"another");
        assert_eq!(first.difference(&other), Some(Difference::State));
        other.decisions_sha256 = Digest::of(b"another");
        assert_eq!(first.difference(&other), Some(Difference::Effects));
        for difference in [Difference::Trust, Difference::State, Difference::Effects] {
            let failure = answer(Some(difference), &first).verdict("ops").unwrap_err();
            assert_eq!(failure.code, exit::VERIFICATION);
        }
    }
}
