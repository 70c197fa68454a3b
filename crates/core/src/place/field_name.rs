//! Names of fields: most objects have fields of the same names, so each name is kept once.

use core::borrow::Borrow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The name of a field, wherever it occurs: a narrow pointer, since there is one in each field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FieldName(Arc<Box<str>>);

impl FieldName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for FieldName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// The names that fields have.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldNames(BTreeSet<FieldName>);

impl FieldNames {
    /// The name, kept once.
    pub(super) fn name(&mut self, name: &str) -> FieldName {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let name = FieldName(Arc::new(name.into()));
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let mut names = FieldNames::default();
        let (first, other) = (names.name("title"), names.name("body"));
        let again = names.name("title");
        assert!(Arc::ptr_eq(&first.0, &again.0));
        assert_eq!((other.as_str(), again.as_str()), ("body", "title"));
        assert!(other < again);
    }
}
