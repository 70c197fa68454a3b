//! What a node has done since it began, as OpenMetrics text.

use core::fmt::Write as _;
use core::sync::atomic::{AtomicU64, Ordering};

use ecac_sync::Tally;

/// Counters; they only grow, but for the sessions that are open and the ops that are held.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    finished: AtomicU64,
    failed: AtomicU64,
    open: AtomicU64,
    received: AtomicU64,
    useless: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    gone: AtomicU64,
    held_back: AtomicU64,
    dropped: AtomicU64,
    older: AtomicU64,
    refused: AtomicU64,
    ops: AtomicU64,
}

const fn order() -> Ordering {
    Ordering::Relaxed
}

impl Counters {
    pub(crate) fn begun(&self) {
        self.open.fetch_add(1, order());
    }

    pub(crate) fn ended(&self, tally: &Tally, is_finished: bool) {
        self.open.fetch_sub(1, order());
        let ended = if is_finished {
            &self.finished
        } else {
            &self.failed
        };
        ended.fetch_add(1, order());
        self.received.fetch_add(tally.useful_ops, order());
        self.useless.fetch_add(tally.useless_ops, order());
        self.sent.fetch_add(tally.sent_ops, order());
        self.sent_bytes.fetch_add(tally.sent_bytes, order());
        self.gone.fetch_add(tally.gone_ops, order());
        self.held_back.fetch_add(tally.held_back_ops, order());
        self.dropped.fetch_add(tally.dropped_ops, order());
        self.older.fetch_add(tally.older_ops, order());
    }

    /// A connection that was not let in, or came to nothing.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, order());
    }

    /// How many ops the replica has.
    pub(crate) fn holds(&self, ops: u64) {
        self.ops.store(ops, order());
    }

    /// The text of <https://prometheus.io/docs/specs/om/open_metrics_spec/>, version 1.0.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let counters = [
            (
                "sessions_finished",
                "Sessions in which each side sent all",
                &self.finished,
            ),
            (
                "sessions_failed",
                "Sessions that were broken off",
                &self.failed,
            ),
            (
                "connections_refused",
                "Connections that came to nothing",
                &self.refused,
            ),
            ("ops_received", "Ops that were new", &self.received),
            ("ops_useless", "Ops that changed nothing", &self.useless),
            ("ops_sent", "Ops that were sent", &self.sent),
            ("sent_bytes", "Bytes of frames", &self.sent_bytes),
            ("ops_gone", "Ops that others had dropped", &self.gone),
            (
                "ops_held_back",
                "Ops that others kept back, since they build on dropped ones",
                &self.held_back,
            ),
            (
                "ops_dropped",
                "Ops that others lacked and that were dropped here",
                &self.dropped,
            ),
            (
                "ops_older",
                "Ops that others had dropped, asked for and were sent",
                &self.older,
            ),
        ];
        for (name, help, value) in counters {
            let value = value.load(order());
            put(&mut text, name, "counter", help, "_total", value);
        }
        let open = self.open.load(order());
        put(
            &mut text,
            "sessions_open",
            "gauge",
            "Sessions that go on",
            "",
            open,
        );
        let ops = self.ops.load(order());
        put(
            &mut text,
            "ops",
            "gauge",
            "Admitted ops of the replica",
            "",
            ops,
        );
        text.push_str("# EOF\n");
        text
    }
}

fn put(text: &mut String, name: &str, kind: &str, help: &str, end: &str, value: u64) {
    let written = write!(
        text,
        "# TYPE ecac_{name} {kind}\n# HELP ecac_{name} {help}.\necac_{name}{end} {value}\n"
    );
    debug_assert!(written.is_ok(), "writing into memory does not fail");
}
