//! The file of a node's key.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::*;
use crate::{KeyFileError, create_key_file, read_key_file};

#[test]
fn a_key_is_read_as_it_was_written_and_never_replaced() {
    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("keys/node.key");
    let key = create_key_file(&path, [7; 32]).unwrap();
    assert_eq!(key.public(), node(7).public());
    assert_eq!(read_key_file(&path).unwrap().public(), node(7).public());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{}\n", "07".repeat(32)));
    let again = create_key_file(&path, [8; 32]);
    assert!(
        matches!(again, Err(KeyFileError::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists)
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    for (content, good) in [
        ("07".repeat(32), true),
        (format!("{}\r\n", "07".repeat(32)), true),
        (String::new(), false),
        ("07".repeat(31), false),
        (format!("{}\n\n", "07".repeat(32)), false),
        ("0x".repeat(32), false),
    ] {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).truncate(true).open(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        match read_key_file(&path) {
            Ok(_) => assert!(good, "{content:?}"),
            Err(KeyFileError::Content) => assert!(!good, "{content:?}"),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(
        read_key_file(here.path()),
        Err(KeyFileError::Io(_))
    ));
    assert!(matches!(
        read_key_file(Path::new("/nowhere/key")),
        Err(KeyFileError::Io(_))
    ));
}

#[cfg(unix)]
#[test]
fn nobody_but_its_owner_has_access() {
    use std::os::unix::fs::PermissionsExt as _;

    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("keys/node.key");
    create_key_file(&path, [7; 32]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for wide in [0o640, 0o604, 0o610, 0o602, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(wide)).unwrap();
        let read = read_key_file(&path).map(|key| key.public());
        assert!(matches!(read, Err(KeyFileError::Access { mode }) if mode == wide));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    read_key_file(&path).unwrap();
}
