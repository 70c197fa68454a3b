//! The laws: what more ops, other orders and copies may change, and what they may not.

use ecac_oracle::laws::Law;

use super::*;
use crate::book::Arrivals;

/// An edit that is denied, one that stays, and one that is refused.
fn revoked() -> Story {
    let mut story = Story::with_alice();
    story.op("seen", ALICE, "hired", title(1));
    story.op("concurrent", ALICE, "seen", title(2));
    story.op("revoked", ROOT, "seen", revoke(ALICE, None, None));
    story.op("after", ALICE, "concurrent revoked", title(3));
    story.grant("again", ROOT_2, "revoked", ALICE, "hired.vc");
    story.op("follows", ALICE, "concurrent again", title(4));
    story
}

const REVOKED: &str = "
    concurrent denied revoked revoked
    after refused revoked revoked
    follows applied again
";

fn order_free(v: &mut Vectors) {
    v.law(
        Law::OrderFree,
        "Decisions, state and trust view are functions of the set of ops.",
        LAWS,
        (&revoked(), REVOKED),
        &[
            Arrivals::of("follows again after revoked concurrent seen hired hired.vc key genesis"),
            Arrivals::of("genesis revoked key again hired.vc follows hired after seen concurrent"),
            Arrivals::of("concurrent genesis key hired.vc hired seen revoked again after follows"),
            Arrivals::of("genesis key hired.vc hired seen revoked again concurrent follows after"),
        ],
    );
}

fn caused(v: &mut Vectors) {
    v.law(
        Law::Caused,
        "A decision changes at most once, from applied to denied, and a denial is the cause.",
        LAWS,
        (&revoked(), REVOKED),
        &[
            Arrivals {
                order: "genesis key hired.vc hired concurrent seen revoked after again follows",
                after: &[
                    (5, "concurrent pending"),
                    (6, "seen applied hired\n concurrent applied hired"),
                    (7, "seen applied hired\n concurrent denied revoked revoked"),
                    (8, "after refused revoked revoked"),
                    (
                        10,
                        "seen applied hired\n concurrent denied revoked revoked\n follows applied again",
                    ),
                ],
            },
            // Whoever hears of the revocation first never sees the edit applied.
            Arrivals {
                order: "genesis key hired.vc hired seen revoked concurrent again follows after",
                after: &[
                    (6, "seen applied hired"),
                    (7, "concurrent denied revoked revoked"),
                    (9, "concurrent denied revoked revoked\n follows applied again"),
                ],
            },
        ],
    );
}

fn incremental_equals_full(v: &mut Vectors) {
    v.law(
        Law::IncrementalEqualsFull,
        "Whatever is decided op by op is what one replay of the ops so far decides.",
        LAWS,
        (&revoked(), REVOKED),
        &[
            Arrivals::of("genesis key hired.vc hired seen concurrent revoked after again follows"),
            Arrivals::of("concurrent revoked follows genesis key hired.vc hired seen again after"),
        ],
    );
}

fn final_refusals(v: &mut Vectors) {
    let mut story = Story::new();
    story.op("early", ALICE, "key", title(1));
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    story.op("on-early", ALICE, "early hired", title(2));
    story.op("edit", ALICE, "hired", title(3));
    v.law(
        Law::FinalRefusals,
        "No later op admits a refused one, nor changes why it is refused.",
        RECEIVING,
        (
            &story,
            "
            early refused no_grant
            on-early refused refused_parent early
            edit applied hired
        ",
        ),
        &[
            Arrivals {
                order: "genesis key early on-early hired.vc hired edit",
                after: &[
                    (3, "early refused no_grant"),
                    (4, "early refused no_grant\n on-early pending"),
                    (
                        6,
                        "early refused no_grant\n on-early refused refused_parent early",
                    ),
                    (7, "early refused no_grant\n edit applied hired"),
                ],
            },
            Arrivals::of("genesis key hired.vc hired edit early on-early"),
        ],
    );
}

fn harmless_copies(v: &mut Vectors) {
    v.law(
        Law::HarmlessCopies,
        "An op that comes again changes nothing; neither do bytes that only look like one.",
        RECEIVING,
        (&revoked(), REVOKED),
        &[Arrivals::of(
            "genesis genesis key key hired.vc hired seen concurrent concurrent revoked \
                 revoked seen hired after after again follows follows genesis concurrent",
        )],
    );
}

fn an_op_without_its_parents_is_pending(v: &mut Vectors) {
    let mut story = revoked();
    story.ops.retain(|op| op.id() != story.ids["seen"]);
    v.add(
        "pending/missing-parent",
        "An op waits until all of its parents have been judged; what waits denies nothing.",
        RECEIVING,
        &story,
        "
        concurrent pending
        revoked pending
        after pending
        again pending
        follows pending
    ",
    );
}

cases! {
    order_free,
    caused,
    incremental_equals_full,
    final_refusals,
    harmless_copies,
    an_op_without_its_parents_is_pending,
}
