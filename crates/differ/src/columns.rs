//! How wide the text form of an explanation is.

/// Widest line of the text form, in columns.
pub const COLUMNS_MAX: usize = 80;
/// Columns before the values of the text form.
pub(super) const INDENT: usize = 12;
/// Columns left for a value.
pub(super) const VALUE_COLUMNS_MAX: usize = COLUMNS_MAX - INDENT;
