//! Lists that leave little of their memory unused.

/// Makes room for so many more: an eighth of what there is at a time, where a list by itself would double. Each entry is
/// moved some eight times in the life of its list, if the system cannot move the pages instead.
pub(crate) fn room_for<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 8));
    }
}

/// Lengthens the list with what `entry` makes, and makes room like [`room_for`].
pub(crate) fn lengthen<T>(list: &mut Vec<T>, len: usize, entry: impl FnMut() -> T) {
    room_for(list, len.saturating_sub(list.len()));
    list.resize_with(len.max(list.len()), entry);
}

/// Appends, and makes room like [`room_for`].
pub(crate) fn push<T>(list: &mut Vec<T>, entry: T) {
    room_for(list, 1);
    list.push(entry);
}
