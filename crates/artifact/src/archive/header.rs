//! The one canonical ustar header of a file.

use tar::{EntryType, Header};

/// Size of a tar block in bytes.
pub(super) const BLOCK: usize = 512;

/// Largest file that the eleven octal digits of a ustar header can describe, in bytes.
pub(super) const SIZE_MAX: u64 = (1 << 33) - 1;

/// The header of the regular file `directory/name` with `size` bytes of contents.
///
/// As in GNU tar, the whole path stands in the header's `name` field if it fits, else the directory in the
/// `prefix` field. Returns nothing if the path fits neither way, or `size` exceeds [`SIZE_MAX`].
pub(super) fn canonical(directory: &str, name: &str, size: u64) -> Option<[u8; BLOCK]> {
    if size > SIZE_MAX {
        return None;
    }
    let mut header = Header::new_ustar();
    let ustar = header.as_ustar_mut()?;
    let path = format!("{directory}/{name}");
    if path.len() <= ustar.name.len() {
        fill(&mut ustar.name, &path)?;
    } else {
        fill(&mut ustar.name, name)?;
        fill(&mut ustar.prefix, directory)?;
    }
    fill(&mut ustar.mode, "0000644")?;
    fill(&mut ustar.uid, "0000000")?;
    fill(&mut ustar.gid, "0000000")?;
    fill(&mut ustar.size, &format!("{size:011o}"))?;
    fill(&mut ustar.mtime, "00000000000")?;
    fill(&mut ustar.dev_major, "0000000")?;
    fill(&mut ustar.dev_minor, "0000000")?;
    ustar.typeflag = [EntryType::Regular.as_byte()];
    // The checksum counts its own field as spaces (POSIX.1-2024, pax, "ustar Interchange Format").
    ustar.cksum = *b"        ";
    let sum: u32 = header.as_bytes().iter().copied().map(u32::from).sum();
    let ustar = header.as_ustar_mut()?;
    fill(&mut ustar.cksum, &format!("{sum:06o}\0 "))?;
    Some(*header.as_bytes())
}

/// Writes `text` at the start of a field of zeros; nothing if it does not fit.
fn fill(field: &mut [u8], text: &str) -> Option<()> {
    field
        .get_mut(..text.len())?
        .copy_from_slice(text.as_bytes());
    Some(())
}

/// How many zero bytes follow `size` bytes of contents up to the next block.
pub(super) fn padding(size: u64) -> usize {
    // A remainder below 512 fits any usize.
    let used = (size % BLOCK as u64) as usize;
    (BLOCK - used) % BLOCK
}
