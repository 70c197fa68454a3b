//! The timeline of a run: every decision as it fell, in virtual time, one JSON object per line.

use serde::{Deserialize, Serialize};

/// One line of a timeline. The members are in this order on every line. `Op` is the id of an op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event<Op> {
    /// Number of the arrival, from 1.
    pub n: u64,
    /// The observer's virtual time, ms since the Unix epoch.
    pub t: u64,
    /// What happened.
    pub event: EventKind,
    /// The op; absent for bytes that are no op.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// Why it is not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The denial, or what shows the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Op>,
}

/// What can happen to an op, from what is hardly worth telling to what is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It counts.
    Applied,
    /// It is denied on arrival.
    Denied,
    /// It never enters the DAG.
    Refused,
    /// It waits for parents.
    Pending,
    /// The observer's program does not know its kind: it is held, not judged.
    Unsupported,
    /// It is denied after having been applied.
    RolledBack,
}

/// Where and how a timeline breaks its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TimelineError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl<Op: Serialize> Event<Op> {
    /// Writes the line.
    ///
    /// # Panics
    /// If the id of an op cannot be written as JSON.
    pub fn write(&self, timeline: &mut Vec<u8>) {
        serde_json::to_writer(&mut *timeline, self)
            .expect("an event in memory is written to memory");
        timeline.push(b'\n');
    }
}

/// Reads a timeline.
///
/// # Errors
/// [`TimelineError`] with the first line that is no event or falls behind the one before.
pub fn read_timeline<'a, Op: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<Vec<Event<Op>>, TimelineError> {
    let mut events: Vec<Event<Op>> = Vec::new();
    for (line, text) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
        let fault = |problem: String| TimelineError { line, problem };
        let text = text
            .strip_suffix(b"\n")
            .ok_or_else(|| fault("the final newline is missing".to_owned()))?;
        let event: Event<Op> =
            serde_json::from_slice(text).map_err(|error| fault(error.to_string()))?;
        if events
            .last()
            .is_some_and(|last| event.n < last.n || event.t < last.t)
        {
            return Err(fault("the events are not in order".to_owned()));
        }
        events.push(event);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_read_back_and_its_faults_are_placed() {
        let event = |n, event, reason: Option<&str>| Event {
            n,
            t: 7,
            event,
            op: Some("a".to_owned()),
            reason: reason.map(str::to_owned),
            by: None,
        };
        let events = [
            event(1, EventKind::Unsupported, None),
            event(2, EventKind::RolledBack, Some("revoked")),
        ];
        let mut bytes = Vec::new();
        events.iter().for_each(|event| event.write(&mut bytes));
        let text = "{\"n\":1,\"t\":7,\"event\":\"unsupported\",\"op\":\"a\"}\n\
                    {\"n\":2,\"t\":7,\"event\":\"rolled_back\",\"op\":\"a\",\"reason\":\"revoked\"}\n";
        assert_eq!(str::from_utf8(&bytes), Ok(text));
        assert_eq!(read_timeline::<String>(&bytes).as_deref(), Ok(&events[..]));
        for (bad, line) in [
            (text.trim_end().to_owned(), 2),
            (text.replace("\"n\":1", "\"n\":3"), 2),
            (text.replace("rolled_back", "rolled back"), 2),
            (text.replace("\"op\"", "\"operation\""), 1),
        ] {
            let error = read_timeline::<String>(bad.as_bytes()).unwrap_err();
            assert_eq!(error.line, line, "{bad}");
        }
    }
}
