//! Which associations' members can be written, as far as types can tell.

use assoc_core::{Association, HasMany, HasManyThrough, HasOne, JoinRow, Model, Through, ToOne};

/// An association to many whose members a changeset can name: a `has_many`, a `has_and_belongs_to_many`, and a `has_many
/// through` a join model, whose rows belong to both owner and member.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no members that a changeset of `{O}` can write",
    label = "no association of `{O}` to many, or one that is read-only",
    note = "a `belongs_to` is written by `associate`, a `has_one` by `set_one`, and a column by `set`",
    note = "a `has_many through` can be written where it goes through a `has_many` whose rows belong to both owner and member; otherwise write the association that it goes through"
)]
pub trait WritableMany<O, T> {
    /// The association as data.
    #[doc(hidden)]
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef;
}

#[diagnostic::do_not_recommend]
impl<O, T: Model> WritableMany<O, T> for Association<O, T, HasMany<T>> {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        (*self).def()
    }
}

#[diagnostic::do_not_recommend]
impl<O, T: Model, J: JoinRow> WritableMany<O, T> for Association<O, T, HasManyThrough<T, J>> {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        (*self).def()
    }
}

#[diagnostic::do_not_recommend]
impl<O, T: Model, J: JoinRow> WritableMany<O, T> for Association<O, T, Through<HasManyThrough<T, J>, true>> {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        (*self).def()
    }
}

/// An association to one target that holds the owner's key, or to which a row between leads: a `has_one`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no target that a changeset of `{O}` can write",
    label = "no `has_one` of `{O}`, or one that is read-only",
    note = "a `belongs_to` is written by `associate`, an association to many by `push` and `replace`, and a column by `set`",
    note = "a `has_one through` can be written where it goes through a `has_one` whose row belongs to both owner and target"
)]
pub trait WritableOne<O, T> {
    /// The association as data.
    #[doc(hidden)]
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef;
}

#[diagnostic::do_not_recommend]
impl<O, T, S: ToOne<Target = T>> WritableOne<O, T> for Association<O, T, HasOne<S>> {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        (*self).def()
    }
}

#[diagnostic::do_not_recommend]
impl<O, T, S: ToOne<Target = T>> WritableOne<O, T> for Association<O, T, Through<HasOne<S>, true>> {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        (*self).def()
    }
}

/// An association whose members a changeset can take away, all of them: a [`WritableMany`] or a [`WritableOne`].
pub trait Clearable<O, T, How> {
    /// The association as data.
    #[doc(hidden)]
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef;
}

/// An association to many.
#[doc(hidden)]
pub struct ToMany(());

/// An association to one.
#[doc(hidden)]
pub struct ToSingle(());

impl<O, T, A: WritableMany<O, T>> Clearable<O, T, ToMany> for A {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        WritableMany::association(self)
    }
}

impl<O, T, A: WritableOne<O, T>> Clearable<O, T, ToSingle> for A {
    fn association(&self) -> &'static assoc_core::metadata::AssociationDef {
        WritableOne::association(self)
    }
}
