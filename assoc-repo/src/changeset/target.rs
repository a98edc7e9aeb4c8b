//! The values that a changeset takes for an association: rows, changesets, values of polymorphic enums, and lists of them.

use std::marker::PhantomData;
use std::sync::Arc;

use assoc_core::change::{Given, Member, RowChange};
use assoc_core::metadata::HasVariant;
use assoc_core::{Model, Polymorphic};

use super::Changeset;

/// A value that can become the single target of an association to `T`: `&T`, an `Arc<T>` or a reference to one, a
/// [`Changeset<T>`](Changeset) that is saved with the owner, or a [`SharedDraft`]. For a polymorphic association it is also
/// one of these for any of its models, or a value of the enum.
///
/// `How` distinguishes these cases; programs never name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row that an association to `{T}` can lead to",
    label = "not a row of `{T}`",
    note = "give a reference to a row of `{T}`, or a changeset of one: `Post::build().associate(Post::USER, &user)`",
    note = "an association to an enum takes rows of the models that have a variant in it",
    note = "an `Option` is taken apart first: a changeset without a target says `dissociate`, and a handle `clear`"
)]
pub trait IntoTarget<T, How> {
    /// Shows what is given.
    #[doc(hidden)]
    fn visit(self, take: &mut dyn FnMut(Given<'_>));
}

/// A row of the association's model.
#[doc(hidden)]
pub struct OfModel(());

/// A row of one of the models of a polymorphic association.
#[doc(hidden)]
pub struct OfVariant<M>(PhantomData<M>);

/// A value of the enum of a polymorphic association.
#[doc(hidden)]
pub struct OfEnum(());

// The two forms of each: of the association's model, and of one of the models of a polymorphic enum.
macro_rules! targets {
    ($(<$model:ident> $type:ty, $self:ident => $given:expr;)+) => {$(
        impl<$model: Model> IntoTarget<$model, OfModel> for $type {
            fn visit($self, take: &mut dyn FnMut(Given<'_>)) {
                take($given);
            }
        }

        // What is given is wrong, and not the association's enum.
        #[diagnostic::do_not_recommend]
        impl<E: HasVariant<$model>, $model: Model> IntoTarget<E, OfVariant<$model>> for $type {
            fn visit($self, take: &mut dyn FnMut(Given<'_>)) {
                take($given);
            }
        }
    )+};
}

targets! {
    <M> &M, self => Given::Row(M::DEF, self);
    <M> &Arc<M>, self => Given::Member(Member::Row { model: M::DEF, row: Arc::<M>::clone(self) });
    <M> Arc<M>, self => Given::Member(Member::Row { model: M::DEF, row: self });
    <M> Changeset<M>, self => Given::Member(Member::Change(self.into_row_change()));
    <M> &SharedDraft<M>, self => Given::Member(Member::Shared(Arc::clone(&self.row)));
    <M> SharedDraft<M>, self => Given::Member(Member::Shared(self.row));
}

impl<E: Polymorphic> IntoTarget<E, OfEnum> for &E {
    fn visit(self, take: &mut dyn FnMut(Given<'_>)) {
        for variant in E::VARIANTS {
            if let Some(row) = (variant.row)(self) {
                return take(Given::Row((variant.model)(), row));
            }
        }
    }
}

impl<E: Polymorphic> IntoTarget<E, OfEnum> for &Arc<E> {
    fn visit(self, take: &mut dyn FnMut(Given<'_>)) {
        IntoTarget::<E, OfEnum>::visit(&**self, take);
    }
}

impl<E: Polymorphic> IntoTarget<E, OfEnum> for Arc<E> {
    fn visit(self, take: &mut dyn FnMut(Given<'_>)) {
        IntoTarget::<E, OfEnum>::visit(&*self, take);
    }
}

/// A new row that is given to several associations, and inserted once. Made by [`Changeset::shared`]; a clone of a changeset
/// would be a row of its own.
pub struct SharedDraft<M> {
    row: Arc<RowChange>,
    model: PhantomData<fn() -> M>,
}

impl<M> SharedDraft<M> {
    pub(super) fn new(row: RowChange) -> Self {
        SharedDraft { row: Arc::new(row), model: PhantomData }
    }
}

impl<M> Clone for SharedDraft<M> {
    fn clone(&self) -> Self {
        SharedDraft { row: Arc::clone(&self.row), model: PhantomData }
    }
}

impl<M> std::fmt::Debug for SharedDraft<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.row, f)
    }
}

/// What members of an association to many `T` can be made of: whatever is a [target](IntoTarget), or an iterator of them.
///
/// `How` tells these cases apart and is never named.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a member of an association that leads to `{T}`",
    label = "neither a row of `{T}` nor a changeset of it",
    note = "give `&{T}`, an `Arc<{T}>`, a changeset of a `{T}`, or an iterator of them"
)]
pub trait IntoMembers<T, How> {
    /// Shows what is given, one after the other, with how many more there are at least.
    #[doc(hidden)]
    fn each(self, take: &mut dyn FnMut(Given<'_>, usize));
}

/// One member.
#[doc(hidden)]
pub struct Single<How>(PhantomData<How>);

/// Several.
#[doc(hidden)]
pub struct Each<How>(PhantomData<How>);

impl<T, How, X: IntoTarget<T, How>> IntoMembers<T, Single<How>> for X {
    fn each(self, take: &mut dyn FnMut(Given<'_>, usize)) {
        self.visit(&mut |given| take(given, 0));
    }
}

impl<T, How, I: IntoIterator<Item: IntoTarget<T, How>>> IntoMembers<T, Each<How>> for I {
    fn each(self, take: &mut dyn FnMut(Given<'_>, usize)) {
        let mut all = self.into_iter();
        while let Some(one) = all.next() {
            let more = all.size_hint().0;
            one.visit(&mut |given| take(given, more));
        }
    }
}
