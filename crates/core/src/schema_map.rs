//! The schema map: which tags the fields of which objects have.

use crate::name::{Name, Tags};

/// One line of the schema map: the tags of the fields that match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaRule {
    /// Object pattern: the object itself, or a prefix followed by one final `*`.
    pub object: Name,
    /// Field pattern, of the same form.
    pub field: Name,
    /// Tags of what matches, 1 to [`crate::limits::TAGS_MAX`].
    pub tags: Tags,
}

impl SchemaRule {
    /// Whether this rule speaks of the field of the object.
    #[must_use]
    pub fn matches(&self, object: &str, field: &str) -> bool {
        pattern_matches(&self.object, object) && pattern_matches(&self.field, field)
    }
}

/// The tags of a field: the union over the rules that match.
pub(crate) fn tags_of<'a>(
    rules: impl Iterator<Item = &'a SchemaRule>,
    object: &str,
    field: &str,
) -> Tags {
    rules
        .filter(|rule| rule.matches(object, field))
        .flat_map(|rule| rule.tags.iter().cloned())
        .collect()
}

fn pattern_matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_literal_or_a_prefix() {
        let rule = |object: &str, field: &str| SchemaRule {
            object: object.try_into().unwrap(),
            field: field.try_into().unwrap(),
            tags: Tags::new(),
        };
        assert!(rule("doc/*", "*").matches("doc/1", "title"));
        assert!(rule("doc/1", "title").matches("doc/1", "title"));
        assert!(!rule("doc/1", "title").matches("doc/10", "title"));
        assert!(!rule("doc/*", "title").matches("doc", "title"));
        assert!(
            !rule("*x", "*").matches("ax", "f"),
            "a star elsewhere than at the end is literal"
        );
    }
}
