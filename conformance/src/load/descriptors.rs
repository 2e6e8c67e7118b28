use super::LoadError;

/// What the process holds open beside its connections: files, pipes, the runtime's own, connections for HTTP.
const BESIDE: u64 = 100;

/// Raises the limit of open files as far as it may be, and says so when that is too few for so many connections.
pub(super) fn allow(connections: u64) -> Result<(), LoadError> {
    let needed = connections + BESIDE;
    // On systems without such a limit nothing is to be raised.
    let limit = rlimit::increase_nofile_limit(needed).unwrap_or(u64::MAX);
    if limit < needed { Err(LoadError::TooFewDescriptors { needed, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_system_has_is_said_and_not_tried() {
        assert!(allow(10).is_ok());
        assert!(matches!(allow(u64::MAX / 2), Err(LoadError::TooFewDescriptors { .. })));
    }
}
