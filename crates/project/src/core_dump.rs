//! Core dumps: images of the memory of a program, which the system writes to a file when it crashes.

/// Turns them off for this process and those that it starts, for good: what is in memory are private keys and values that are sealed
/// everywhere else. For programs that open a [`crate::Home`], before they do. A system without such a limit has none to turn off.
///
/// # Errors
/// That of the system, which refuses nobody to lower a limit.
pub fn no_core_dumps() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none)?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    use super::*;

    #[test]
    fn no_core_is_dumped_any_more() {
        no_core_dumps().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
