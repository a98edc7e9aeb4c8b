//! The compile-time selection of a through association's source: the association of the intermediate model that it
//! continues with.

use super::association::Association;
use super::column::Column;
use super::sealed;
use crate::metadata::association::{AssociationDef, HasVariant};

/// Stands in for a constant that a model does not have. The derive names a source association by its singular and its
/// plural name, and a trait supplies this type for the name that does not exist.
#[derive(Debug, Clone, Copy)]
pub struct Missing;

impl Missing {
    /// No columns: what is missing is reported by its type.
    #[doc(hidden)]
    #[must_use]
    pub const fn columns(&self) -> &'static [usize] {
        &[]
    }
}

/// Selects the source of a through association from its singular and plural names: the one that exists, or the singular
/// one if both do.
#[diagnostic::on_unimplemented(
    message = "the source of this association is not found, or does not lead to `{T}`",
    label = "the model it goes through has no association of this name, visible here, that leads to `{T}`",
    note = "a `through` association is continued by the association of the model it goes through that has its name, in the singular or else in the plural: name another with `source = \"…\"`",
    note = "if that association is polymorphic, say which of its types to follow with `source_type = \"…\"`"
)]
pub trait PickSource<T>: sealed::PickSource + Copy {
    /// The selected association.
    fn def(self) -> &'static AssociationDef;
}

impl<J, T, H, P: Copy> PickSource<T> for (Association<J, T, H>, P) {
    fn def(self) -> &'static AssociationDef {
        self.0.def()
    }
}

impl<J, T, H> PickSource<T> for (Missing, Association<J, T, H>) {
    fn def(self) -> &'static AssociationDef {
        self.1.def()
    }
}

// The singular name may belong to a column.
impl<J, V, T, H> PickSource<T> for (Column<J, V>, Association<J, T, H>) {
    fn def(self) -> &'static AssociationDef {
        self.1.def()
    }
}

/// As [`PickSource`], for a polymorphic source, of which the through association follows one type.
#[diagnostic::on_unimplemented(
    message = "the source of this association is not a polymorphic `belongs_to` that leads to `{T}`, which `source_type` needs",
    label = "no polymorphic `belongs_to` of the model it goes through has this name and leads to `{T}`",
    note = "if the source is an association to `{T}` alone, leave `source_type` out; otherwise name it with `source = \"…\"`"
)]
pub trait PickTypedSource<T>: sealed::PickSource + Copy {
    /// The selected association.
    fn def(self) -> &'static AssociationDef;
}

// What is wrong is the source, and not its enum.
#[diagnostic::do_not_recommend]
impl<J, E: HasVariant<T>, T, H, P: Copy> PickTypedSource<T> for (Association<J, E, H>, P) {
    fn def(self) -> &'static AssociationDef {
        self.0.def()
    }
}

#[diagnostic::do_not_recommend]
impl<J, E: HasVariant<T>, T, H> PickTypedSource<T> for (Missing, Association<J, E, H>) {
    fn def(self) -> &'static AssociationDef {
        self.1.def()
    }
}
