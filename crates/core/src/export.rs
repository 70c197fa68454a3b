//! Exports of the state (`docs/protocol.md`, Files and exports).

use core::ops::Deref;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use sha2::{Digest as _, Sha256};

use crate::dag::Index;
use crate::id::OpId;
use crate::json;
use crate::log::Log;
use crate::place::Object;
use crate::place_id::PlaceId;
use crate::state::{State, projection};
use crate::value::Value;

impl State {
    /// The state as RFC 8785 canonical JSON; its SHA-256 is the state digest.
    ///
    /// `objects.<object>.fields.<field>` has the concurrent winners by op id and, as `value`, the winner with
    /// the least BLAKE3 of its value; `objects.<object>.sets.<field>.<element>` has the same for an element
    /// that is present, with the tags of the adds that keep it there.
    #[must_use]
    pub fn export(&self, log: &Log) -> Vec<u8> {
        let mut out = Vec::new();
        Export::of(self, log, &mut out)
            .document()
            .expect("writing into memory does not fail");
        out
    }

    /// Writes the same bytes one after another, and holds none of them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_export(&self, log: &Log, out: &mut dyn Write) -> io::Result<()> {
        Export::of(self, log, out).document()
    }

    /// The state digest: the SHA-256 of the same bytes.
    pub(crate) fn digest(&self, log: &Log) -> [u8; 32] {
        let mut out = BufWriter::with_capacity(HASHED_BYTES, Hashed(Sha256::new()));
        let written = Export::of(self, log, &mut out).document();
        let hashed = written.and_then(|()| out.into_inner().map_err(io::Error::from));
        let Hashed(hasher) = hashed.expect("hashing does not fail");
        hasher.finalize().into()
    }
}

/// Bytes that are hashed together.
const HASHED_BYTES: usize = 1 << 14;

/// Takes bytes in as those of one message.
struct Hashed(Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An export on its way. The members of every object are written in the order of their UTF-16 units (RFC 8785 section
/// 3.2.3).
struct Export<'a, W: Write + ?Sized> {
    state: &'a State,
    log: &'a Log,
    /// The authors of chains as they are written, each made once.
    authors: BTreeMap<u32, String>,
    out: &'a mut W,
}

impl<'a, W: Write + ?Sized> Export<'a, W> {
    const fn of(state: &'a State, log: &'a Log, out: &'a mut W) -> Self {
        let authors = BTreeMap::new();
        Self {
            state,
            log,
            authors,
            out,
        }
    }

    fn document(&mut self) -> io::Result<()> {
        self.out.write_all(b"{")?;
        if let Some(behind) = self.log.behind() {
            let behind = json::canonical(&json::behind(&behind));
            self.out.write_all(b"\"behind\":")?;
            self.out.write_all(&behind)?;
            self.out.write_all(b",")?;
        }
        self.out
            .write_all(b"\"format\":\"ecac-state-v1\",\"objects\":{")?;
        let mut first = true;
        for (name, object) in in_order(by_name(self.log.places.objects())) {
            if object.places().any(|place| !self.state.is_bare(place)) {
                self.comma(&mut first)?;
                self.member(name)?;
                self.object(object)?;
            }
        }
        write!(self.out, "}},\"project\":\"{}\"}}", self.log.project())
    }

    fn object(&mut self, object: &Object) -> io::Result<()> {
        self.out.write_all(b"{\"fields\":{")?;
        let mut first = true;
        for (name, field) in in_order(object.fields()) {
            if let Some(place) = field.register().filter(|&it| !self.state.is_bare(it)) {
                self.comma(&mut first)?;
                self.member(name)?;
                self.out.write_all(b"{")?;
                self.entry(place, 2)?;
            }
        }
        self.out.write_all(b"},\"sets\":{")?;
        let mut first = true;
        for (name, field) in in_order(object.fields()) {
            let mut elements = in_order(field.elements.iter());
            elements.retain(|(_, place)| !self.state.is_bare(**place));
            if elements.is_empty() {
                continue;
            }
            self.comma(&mut first)?;
            self.member(name)?;
            self.out.write_all(b"{")?;
            let mut first = true;
            for (element, &place) in elements {
                self.comma(&mut first)?;
                self.member(element)?;
                self.out.write_all(b"{\"tags\":[")?;
                let live = self.state.live(place);
                let mut tags: Vec<OpId> = live.map(|op| self.log.dag.id(op)).collect();
                tags.sort_unstable();
                let mut first = true;
                for tag in tags {
                    self.comma(&mut first)?;
                    self.out.write_all(b"\"")?;
                    self.id(&tag)?;
                    self.out.write_all(b"\"")?;
                }
                self.out.write_all(b"],")?;
                self.entry(place, 3)?;
            }
            self.out.write_all(b"}")?;
        }
        self.out.write_all(b"}}")
    }

    /// The displayed value and the winners, whose values come after so many names, and the end of the object that they
    /// stand in.
    fn entry(&mut self, place: PlaceId, names: usize) -> io::Result<()> {
        let winners = self.state.winners(self.log, place);
        let value = |&op: &Index| self.log.value(op, names).unwrap_or(Value::Null);
        let values: Vec<Value> = winners.iter().map(value).collect();
        self.out.write_all(b"\"value\":")?;
        self.value(projection(&values))?;
        self.out.write_all(b",\"winners\":[")?;
        let mut first = true;
        for (&op, value) in winners.iter().zip(&values) {
            self.comma(&mut first)?;
            self.winner(op, value)?;
        }
        self.out.write_all(b"]}")
    }

    fn winner(&mut self, op: Index, value: &Value) -> io::Result<()> {
        let (chain, _) = self.log.dag.position(op);
        let author = self.authors.entry(chain);
        let author = author.or_insert_with(|| self.log.dag.author_of_chain(chain).to_string());
        self.out.write_all(b"{\"author\":\"")?;
        self.out.write_all(author.as_bytes())?;
        self.out.write_all(b"\",\"op\":\"")?;
        self.id(&self.log.dag.id(op))?;
        self.out.write_all(b"\",\"value\":")?;
        self.value(value)?;
        self.out.write_all(b"}")
    }

    fn id(&mut self, id: &OpId) -> io::Result<()> {
        let mut text = [0; 64];
        hex::encode_to_slice(id.as_bytes(), &mut text).map_err(io::Error::other)?;
        self.out.write_all(&text)
    }

    /// A value: of its members, if it has any, there is one, and its numbers are whole.
    fn value(&mut self, value: &Value) -> io::Result<()> {
        match value {
            Value::Text(text) => serde_json::to_writer(&mut *self.out, text)?,
            Value::Int(number) => serde_json::to_writer(&mut *self.out, number)?,
            other => serde_json::to_writer(&mut *self.out, &other.to_json())?,
        }
        Ok(())
    }

    fn member(&mut self, name: &str) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, name)?;
        self.out.write_all(b":")
    }

    fn comma(&mut self, first: &mut bool) -> io::Result<()> {
        if core::mem::replace(first, false) {
            Ok(())
        } else {
            self.out.write_all(b",")
        }
    }
}

/// The entries in the order of the UTF-16 units of their keys, which is that of the bytes unless some character has a
/// first byte from 0xEE on: those beyond U+FFFF come before the others of these.
fn in_order<'a, T: 'a>(by_bytes: impl Iterator<Item = (&'a str, &'a T)>) -> Vec<(&'a str, &'a T)> {
    let mut entries: Vec<(&str, &T)> = by_bytes.collect();
    let is_late = |(key, _): &(&str, &T)| key.bytes().any(|byte| byte >= 0xee);
    if entries.iter().any(is_late) {
        entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    entries
}

fn by_name<T>(map: &BTreeMap<impl Deref<Target = str>, T>) -> impl Iterator<Item = (&str, &T)> {
    map.iter().map(|(name, it)| (&**name, it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_order_of_utf_16() {
        let keys = [
            "\u{20ac}",
            "\r",
            "\u{fb33}",
            "1",
            "\u{1f600}",
            "\u{80}",
            "\u{f6}",
            "a",
        ];
        let map: BTreeMap<Box<str>, ()> = keys.into_iter().map(|key| (key.into(), ())).collect();
        let ours: Vec<&str> = in_order(by_name(&map))
            .into_iter()
            .map(|(key, ())| key)
            .collect();
        // RFC 8785 section 3.2.3, with one letter more.
        let wanted = [
            "\r",
            "1",
            "a",
            "\u{80}",
            "\u{f6}",
            "\u{20ac}",
            "\u{1f600}",
            "\u{fb33}",
        ];
        assert_eq!(ours, wanted);
    }
}
