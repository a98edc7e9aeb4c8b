//! Locks on the rows that a query reads.

/// A lock on the rows that a query reads, until its transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowLock {
    /// What others may still do with the rows.
    pub strength: LockStrength,
    /// What is done about rows that others have locked.
    pub when_locked: WhenLocked,
}

/// What others may still do with locked rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockStrength {
    /// Neither lock nor change them.
    Update,
    /// Lock them in the same way, and not change them.
    Share,
}

/// What is done about rows that others have locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WhenLocked {
    /// They are waited for.
    #[default]
    Wait,
    /// They are left out.
    Skip,
}
