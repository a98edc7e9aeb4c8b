//! What a save asks about the members of owners that exist, and what follows from the answers.

use crate::key::KeyTuple;

/// What is said of members that are let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Removal {
    /// They are let go as the association's `dependent` says.
    ByRule,
    /// The same, but by plain statements: nothing is destroyed with what depends on it, and no callback runs.
    Silent,
    /// The save destroys them, also if the association's `dependent` says otherwise. Of members behind rows between, it destroys
    /// the rows between.
    Destroy,
}

/// A question about one owner.
pub struct Question {
    /// The owner's key.
    pub owner: KeyTuple,
    /// The planned row that is the owner.
    pub row: u32,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked about an owner's members.
#[non_exhaustive]
pub enum Ask {
    /// That this is a member; it may be let go then.
    Member {
        /// Its key.
        member: KeyTuple,
        /// Whether it is let go.
        remove: bool,
        /// The version that it has to have if it is let go, where a version is known.
        version: Option<KeyTuple>,
    },
    /// Which members there are: all others than these are let go.
    All {
        /// Those that stay, each with the planned row that links it, which is not needed where it is linked already.
        keep: Vec<Kept>,
        /// Of an association to one behind a row between, the planned row that links the new target: a row that there is takes
        /// its place.
        link: Option<u32>,
    },
}

impl Question {
    // The members that stay.
    pub(super) fn kept(&self) -> &[Kept] {
        match &self.ask {
            Ask::All { keep, .. } => keep,
            Ask::Member { .. } => &[],
        }
    }

    pub(super) fn kept_mut(&mut self) -> &mut [Kept] {
        match &mut self.ask {
            Ask::All { keep, .. } => keep,
            Ask::Member { .. } => &mut [],
        }
    }
}

/// A member that stays.
pub struct Kept {
    /// Its key.
    pub member: KeyTuple,
    /// The planned row that links it.
    pub row: u32,
    /// Whether that row does nothing else.
    pub only_links: bool,
}

/// What follows from what was found.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The rows to be let go, by what tells them from others.
    pub let_go: Vec<KeyTuple>,
    /// The same rows, by the planned row that is their owner, and the key of the member.
    pub members: Vec<(u32, KeyTuple)>,
    /// Planned rows that need not be written.
    pub unneeded: Vec<u32>,
    /// Planned rows that link members which are linked already.
    pub linked: Vec<u32>,
    /// Planned rows that need not be inserted, because a row that is let go leads to their target from now on. It is among those
    /// to be let go, because everything else follows as if it were.
    pub relinked: Vec<(u32, KeyTuple)>,
}

impl Resolved {
    /// Whether a row that is let go leads to another member from now on, and so stays.
    #[must_use]
    pub fn is_relinked(&self, row: &KeyTuple) -> bool {
        self.relinked.iter().any(|(_, relinked)| relinked == row)
    }
}
