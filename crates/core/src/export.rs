//! Exports of the state (`docs/protocol.md`, Files and exports).

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::json;
use crate::log::Log;
use crate::place::Object;
use crate::place_id::PlaceId;
use crate::state::{State, projection, value};
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
        self.write_export(log, &mut out)
            .expect("writing into memory does not fail");
        out
    }

    /// Writes the same bytes one after another, and holds none of them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_export(&self, log: &Log, out: &mut dyn Write) -> io::Result<()> {
        let export = &mut Export {
            state: self,
            log,
            authors: BTreeMap::new(),
            out,
        };
        export.document()
    }
}

/// An export on its way. The members of every object are written in the order of their UTF-16 units (RFC 8785 section
/// 3.2.3).
struct Export<'a> {
    state: &'a State,
    log: &'a Log,
    /// Authors as they are written, each made once.
    authors: BTreeMap<PublicKey, String>,
    out: &'a mut dyn Write,
}

impl Export<'_> {
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
            if let Some(place) = field.register.filter(|&it| !self.state.is_bare(it)) {
                self.comma(&mut first)?;
                self.member(name)?;
                self.out.write_all(b"{")?;
                self.entry(place)?;
            }
        }
        self.out.write_all(b"},\"sets\":{")?;
        let mut first = true;
        for (name, field) in in_order(object.fields()) {
            let mut elements = in_order(by_name(&field.elements));
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
                    write!(self.out, "\"{tag}\"")?;
                }
                self.out.write_all(b"],")?;
                self.entry(place)?;
            }
            self.out.write_all(b"}")?;
        }
        self.out.write_all(b"}}")
    }

    /// The displayed value and the winners, and the end of the object that they stand in.
    fn entry(&mut self, place: PlaceId) -> io::Result<()> {
        let winners = self.state.winners(self.log, place);
        let values: Vec<Value> = winners.iter().map(|&op| value(self.log, op)).collect();
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
        let node = self.log.dag.node(op);
        let author = self.authors.entry(node.author);
        let author = author.or_insert_with(|| node.author.to_string());
        write!(
            self.out,
            "{{\"author\":\"{author}\",\"op\":\"{}\",\"value\":",
            node.id
        )?;
        self.value(value)?;
        self.out.write_all(b"}")
    }

    /// A value: of its members, if it has any, there is one, and its numbers are whole.
    fn value(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, &value.to_json())?;
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

fn by_name<T>(map: &BTreeMap<Box<str>, T>) -> impl Iterator<Item = (&str, &T)> {
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
