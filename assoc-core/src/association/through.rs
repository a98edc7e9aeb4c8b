//! `has_many through` and `has_one through`: targets behind another association, to any depth, because that other
//! association and the one that leads on may go through something themselves.

use super::{Association, AssociationDef, Cardinality, Kind, Macro, Route};
use crate::error::Result;

/// A through association. The two associations are functions, because constants of models that refer to each other
/// would form a cycle.
#[derive(Debug, Clone, Copy)]
pub struct ThroughKind {
    /// The owner's association it goes through.
    pub through: fn() -> &'static AssociationDef,
    /// The association that leads on from there.
    pub source: fn() -> &'static AssociationDef,
    /// Of a polymorphic source, the one type to follow: its tag.
    pub source_type: Option<&'static str>,
    /// Whether this is a `has_one`.
    pub one: bool,
}

impl Kind for ThroughKind {
    fn association_macro(&self) -> Macro {
        if self.one { Macro::HasOneThrough } else { Macro::HasManyThrough }
    }

    fn cardinality(&self) -> Cardinality {
        if self.one { Cardinality::One } else { Cardinality::Many }
    }

    fn route(&self, _: &AssociationDef) -> Result<Route> {
        Ok(Route::Through { through: (self.through)(), source: (self.source)(), source_type: self.source_type })
    }
}

/// Stands for a constant that a model does not have: the derive asks for a source association by its singular and its
/// plural name, and a trait answers with this where there is none.
#[derive(Debug, Clone, Copy)]
pub struct Missing;

/// Chooses the source of a through association from its singular and plural names: the one that exists, the singular
/// one if both do.
#[diagnostic::on_unimplemented(
    message = "the source of this association is not found, or leads to another model",
    label = "no association of the model it goes through has this name, in the singular or in the plural, and leads to `{T}`",
    note = "name the association that leads on with `source = \"…\"`"
)]
pub trait PickSource<T>: Copy {
    /// The association.
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
