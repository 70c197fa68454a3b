//! The numbers of fields and places, by which everything above the payloads knows them.

/// Number of a place.
pub(crate) type PlaceId = u32;
/// Number of a field of an object.
pub(crate) type FieldId = u32;
