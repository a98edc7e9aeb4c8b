//! What the compiler knows of an association through others: whether its members can be written.

use std::marker::PhantomData;

use super::association::Association;
use super::column::Column;
use super::source::Missing;
use crate::holder::{BelongsTo, HasMany, HasManyThrough, HasOne, ToOne};

/// The holder in the constant of an association through others, with whether its members can be written: it leads by a
/// `has_many` (of a `has_one`, by a `has_one`) to rows that belong to both owner and member.
pub struct Through<H, const WRITABLE: bool>(PhantomData<fn() -> H>);

/// What a holder's association is as a part of one through others.
pub trait ThroughPart {
    /// Whether its key is in the row it starts from.
    const KEY_IN_OWNER: bool = false;
    /// Whether each of many targets holds its key.
    const KEY_IN_MANY: bool = false;
    /// Whether the one target holds its key.
    const KEY_IN_ONE: bool = false;
}

impl<S: ToOne> ThroughPart for BelongsTo<S> {
    const KEY_IN_OWNER: bool = true;
}

impl<T> ThroughPart for HasMany<T> {
    const KEY_IN_MANY: bool = true;
}

impl<S: ToOne> ThroughPart for HasOne<S> {
    const KEY_IN_ONE: bool = true;
}

impl<T, J> ThroughPart for HasManyThrough<T, J> {}

impl<H, const W: bool> ThroughPart for Through<H, W> {}

/// The source of an association through others, among the constants that may be it, by their types.
pub trait ThroughSource {
    /// Whether its key is in the row between.
    const KEY_IN_OWNER: bool;
}

impl<J, T, H: ThroughPart, P> ThroughSource for (Association<J, T, H>, P) {
    const KEY_IN_OWNER: bool = H::KEY_IN_OWNER;
}

impl<J, T, H: ThroughPart> ThroughSource for (Missing, Association<J, T, H>) {
    const KEY_IN_OWNER: bool = H::KEY_IN_OWNER;
}

impl<J, V, T, H: ThroughPart> ThroughSource for (Column<J, V>, Association<J, T, H>) {
    const KEY_IN_OWNER: bool = H::KEY_IN_OWNER;
}

/// Whether the members of a `has_many through` can be written. Only the types count: nothing is called.
#[must_use]
pub const fn writes_many<O, J, H: ThroughPart, S: ThroughSource>(
    _through: fn() -> Association<O, J, H>,
    _source: fn() -> S,
) -> bool {
    H::KEY_IN_MANY && S::KEY_IN_OWNER
}

/// The same of a `has_one through`.
#[must_use]
pub const fn writes_one<O, J, H: ThroughPart, S: ThroughSource>(
    _through: fn() -> Association<O, J, H>,
    _source: fn() -> S,
) -> bool {
    H::KEY_IN_ONE && S::KEY_IN_OWNER
}
