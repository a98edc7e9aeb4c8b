//! What a changeset can set as the target of an association.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use assoc_core::{HasVariant, Model, ModelDef, Polymorphic};

/// A row that can become the target of a `belongs_to` to `T`: `&T`, an `Arc<T>` or a reference to one. For a
/// polymorphic association it is also a row of any of its models in the same forms, or a value of the enum.
///
/// `How` distinguishes these cases; programs never name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row that an association to `{T}` can lead to",
    label = "not a row of `{T}`",
    note = "give a reference to a row of `{T}`; of a polymorphic association also a reference to a row of one of its models"
)]
pub trait IntoTarget<T, How> {
    /// Shows the row and its model.
    #[doc(hidden)]
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any));
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

impl<T: Model> IntoTarget<T, OfModel> for &T {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        take(T::DEF, self);
    }
}

impl<T: Model> IntoTarget<T, OfModel> for &Arc<T> {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        take(T::DEF, &**self);
    }
}

impl<T: Model> IntoTarget<T, OfModel> for Arc<T> {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        take(T::DEF, &*self);
    }
}

impl<E: HasVariant<M>, M: Model> IntoTarget<E, OfVariant<M>> for &M {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        take(M::DEF, self);
    }
}

impl<E: HasVariant<M>, M: Model> IntoTarget<E, OfVariant<M>> for &Arc<M> {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        take(M::DEF, &**self);
    }
}

impl<E: HasVariant<M>, M: Model> IntoTarget<E, OfVariant<M>> for Arc<M> {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        take(M::DEF, &*self);
    }
}

impl<E: Polymorphic> IntoTarget<E, OfEnum> for &E {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        for variant in E::VARIANTS {
            if let Some(row) = (variant.row)(self) {
                return take((variant.model)(), row);
            }
        }
    }
}

impl<E: Polymorphic> IntoTarget<E, OfEnum> for &Arc<E> {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        IntoTarget::<E, OfEnum>::visit(&**self, take);
    }
}

impl<E: Polymorphic> IntoTarget<E, OfEnum> for Arc<E> {
    fn visit(self, take: &mut dyn FnMut(&'static ModelDef, &dyn Any)) {
        IntoTarget::<E, OfEnum>::visit(&*self, take);
    }
}
