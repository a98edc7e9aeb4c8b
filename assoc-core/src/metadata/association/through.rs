//! `has_many through` and `has_one through`: targets behind another association, to any depth, because that other
//! association and the one that leads on may go through something themselves.
//!
//! Each may also be declared through the other, in one model or across several, and the compiler cannot see it: such a
//! circle leads nowhere. [`ThroughKind::route`] is the only way to the parts, so it is where a circle is found, and
//! whoever follows routes need not look out for one.

use super::{AssociationDef, Cardinality, Kind, Macro, Route};
use crate::error::{Error, Result};

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

    fn route(&self, association: &AssociationDef) -> Result<Route> {
        refuse_circle(association, self)?;
        let source = (self.source)();
        if let Some(tag) = self.source_type {
            check_source_type(association, source, tag)?;
        }
        Ok(Route::Through { through: (self.through)(), source, source_type: self.source_type })
    }

    fn parts(&self) -> Option<[&'static AssociationDef; 2]> {
        Some([(self.through)(), (self.source)()])
    }
}

fn refuse_circle(association: &AssociationDef, kind: &ThroughKind) -> Result<()> {
    for part in kind.parts().into_iter().flatten() {
        let mut way = Vec::new();
        if let Some(circle) = circle(association, part, &mut way) {
            let names: Vec<String> = circle.iter().map(|part| format!("`{}`", part.qualified_name())).collect();
            let message = format!(
                "the association `{}` goes through itself, by way of {}: declare one of them by a key of its own",
                association.qualified_name(),
                names.join(", then ")
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
    }
    Ok(())
}

// A circle that the parts of an association run into: the whole way there, the first association that repeats last.
fn circle(
    first: &AssociationDef,
    part: &'static AssociationDef,
    way: &mut Vec<&'static AssociationDef>,
) -> Option<Vec<&'static AssociationDef>> {
    let repeats = part == first || way.contains(&part);
    way.push(part);
    if repeats {
        return Some(way.clone());
    }
    let found = part.kind.parts().into_iter().flatten().find_map(|next| circle(first, next, way));
    way.pop();
    found
}

// That the tag is the one under which the source stores the association's target.
fn check_source_type(association: &AssociationDef, source: &AssociationDef, tag: &str) -> Result<()> {
    let variants = match source.kind.route(source)? {
        Route::Polymorphic { variants, .. } => variants,
        _ => &[],
    };
    let target = (association.target)();
    if variants.iter().any(|variant| variant.tag == tag && (variant.model)() == target) {
        return Ok(());
    }
    let right = match variants.iter().find(|variant| (variant.model)() == target) {
        Some(variant) => format!("`{}` is stored as `source_type = \"{}\"`", target.name, variant.tag),
        None => format!("it never leads to `{}`", target.name),
    };
    let message = format!(
        "the association `{}` follows `{}` with `source_type = \"{tag}\"`, but {right}",
        association.qualified_name(),
        source.qualified_name(),
    );
    Err(Error::invalid_query((association.owner)().name, message))
}
