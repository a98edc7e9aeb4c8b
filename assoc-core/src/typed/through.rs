//! What the compiler knows of an association through others: whether its members can be written.

use std::marker::PhantomData;

/// The holder in the constant of an association through others, with whether its members can be written: it leads by a
/// `has_many` (a `has_one` by a `has_one`) to rows that belong to both owner and member.
pub struct Through<H, const WRITABLE: bool>(PhantomData<fn() -> H>);

/// What an association is as a part of one through others: where its key is. A constant beside that of each association. It
/// says nothing of types, so that associations which are declared through each other can be compiled, and refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartOfThrough {
    /// There is no such association.
    Missing,
    /// The row it starts from holds its key: a `belongs_to`.
    KeyInOwner,
    /// Each of many targets holds its key: a `has_many`.
    KeyInMany,
    /// The one target holds its key: a `has_one`.
    KeyInOne,
    /// Its key is in neither.
    Elsewhere,
}

/// Whether the members of an association through others can be written: by what it goes through, and by its source, which is
/// the first of the two names that exists.
#[must_use]
pub const fn writes_links(one: bool, through: PartOfThrough, source: PartOfThrough, otherwise: PartOfThrough) -> bool {
    let source = match source {
        PartOfThrough::Missing => otherwise,
        source => source,
    };
    let leads = match through {
        PartOfThrough::KeyInMany => !one,
        PartOfThrough::KeyInOne => one,
        _ => false,
    };
    leads && matches!(source, PartOfThrough::KeyInOwner)
}
