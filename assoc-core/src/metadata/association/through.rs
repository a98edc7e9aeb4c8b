//! `has_many through` and `has_one through`: targets behind another association, to any depth, because that other
//! association and the one that leads on may go through something themselves.
//!
//! Each may also be declared through the other, in one model or across several, and the compiler cannot see it: such a
//! circle leads nowhere. A [`Chain`](crate::Chain) refuses it before it follows the parts.

use super::{AssociationDef, Cardinality, JoinRowLinkage, Kind, Linkage, Macro, Route, VariantDef};
use crate::error::{Error, Result};
use crate::metadata::model::Discriminator;

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
        let source = (self.source)();
        if let Some(tag) = self.source_type {
            check_source_type(association, source, tag)?;
        }
        Ok(Route::Through { through: (self.through)(), source, source_type: self.source_type })
    }

    fn linkage(&self, association: &AssociationDef) -> Result<Linkage> {
        let (through, source) = ((self.through)(), (self.source)());
        if let Some(nested) = [through, source].into_iter().find(|part| part.kind.parts().is_some()) {
            let reason = format!("it goes through `{}`, which goes through others itself", nested.qualified_name());
            return Ok(Linkage::ReadOnly(reason.into()));
        }
        let owner = match through.linkage()? {
            Linkage::TargetKey(key) => key,
            Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. } | Linkage::JoinRow(_) | Linkage::ReadOnly(_) => {
                let (rows, name) = ((through.target)().name, through.qualified_name());
                let reason = format!("it goes through `{name}`, and a {rows} does not hold the key of one owner");
                return Ok(Linkage::ReadOnly(reason.into()));
            }
        };
        if through.kind.cardinality() != self.cardinality() {
            let many = if self.one { "may have several" } else { "has one at most" };
            let reason = format!("it goes through `{}`, of which an owner {many}", through.qualified_name());
            return Ok(Linkage::ReadOnly(reason.into()));
        }
        let (target, target_type) = match source.linkage()? {
            Linkage::OwnerKey(key) => (key, None),
            Linkage::OwnerKeyAndType { owner_columns, type_column, variants } => {
                let followed = variants.iter().find(|variant| self.source_type.is_none_or(|tag| tag == variant.tag));
                match (followed, self.source_type) {
                    (Some(variant), Some(tag)) => {
                        (variant.hop(owner_columns), Some(Discriminator { column: type_column, tag }))
                    }
                    _ => {
                        let reason = format!("its source `{}` leads to several models", source.qualified_name());
                        return Ok(Linkage::ReadOnly(reason.into()));
                    }
                }
            }
            Linkage::TargetKey(_) | Linkage::JoinRow(_) | Linkage::ReadOnly(_) => {
                let (rows, name) = ((through.target)().name, source.qualified_name());
                let reason = format!("its source is `{name}`, and a {rows} does not hold the key of one target");
                return Ok(Linkage::ReadOnly(reason.into()));
            }
        };
        if let Some(tag) = self.source_type {
            check_source_type(association, source, tag)?;
        }
        let (table, rows) = ((through.target)(), Some(through));
        Ok(Linkage::JoinRow(JoinRowLinkage { table, rows, owner, target, target_type }))
    }

    fn parts(&self) -> Option<[&'static AssociationDef; 2]> {
        Some([(self.through)(), (self.source)()])
    }
}

// The types of a polymorphic association; none of another.
fn variants_of(source: &AssociationDef) -> Result<&'static [VariantDef]> {
    Ok(match source.kind.route(source)? {
        Route::Polymorphic { variants, .. } => variants,
        Route::OwnerKey(_)
        | Route::TargetKey(_)
        | Route::Through { .. }
        | Route::JoinTable { .. }
        | Route::CustomSql(_) => &[],
    })
}

// That the tag is the one under which the source stores the association's target.
fn check_source_type(association: &AssociationDef, source: &AssociationDef, tag: &str) -> Result<()> {
    let variants = variants_of(source)?;
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
