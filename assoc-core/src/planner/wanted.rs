//! What planning is asked for at one place, with everything that lies on top of it.

use crate::metadata::association::{AssociationDef, LoadState};
use crate::metadata::loader::Loader;
use crate::metadata::request::Shape;

/// What is asked of one association at one place.
pub(super) struct Wanted {
    pub(super) association: &'static AssociationDef,
    // The association's own scope with the request's on top.
    pub(super) shape: Shape,
    pub(super) state: LoadState,
    // The request names an order of its own.
    pub(super) reordered: bool,
    pub(super) hidden: bool,
    // Rows are merged with those of other keys afterwards, so their order must hold across keys.
    pub(super) ranked: bool,
    // Nothing but keys is needed of the rows.
    pub(super) links_only: bool,
    // Of a polymorphic association, the only type wanted.
    pub(super) only_type: Option<&'static str>,
    // The root's statement joins it.
    pub(super) joined: bool,
    pub(super) loader: Option<Loader>,
    // What is asked for on top of all scopes, of which the owner's is not known yet.
    pub(super) asked: Shape,
    // The owner's scope is part of the shape.
    pub(super) resolved: bool,
    // Nobody else reads the rows between.
    pub(super) alone: bool,
}

impl Wanted {
    /// An association that another goes through: the whole of it, of which nothing but keys is needed.
    pub(super) fn part(association: &'static AssociationDef) -> Self {
        Wanted {
            association,
            shape: association.scope(),
            state: LoadState::Loaded,
            reordered: false,
            hidden: true,
            ranked: false,
            links_only: true,
            only_type: None,
            joined: false,
            loader: None,
            asked: Shape::default(),
            resolved: false,
            alone: false,
        }
    }

    /// What leads on from there, with the part of the whole association's shape that is about targets.
    pub(super) fn source(source: &'static AssociationDef, shape: &Shape) -> Self {
        let Shape { filter, order, select, unscoped, .. } = shape.clone();
        let asked = Shape { filter, order, select, unscoped, ..Shape::default() };
        Wanted { shape: source.scope().with(asked.clone()), asked, ..Wanted::part(source) }
    }
}
