//! `has_many through` and `has_one through`: targets behind another association, to any depth, because that association
//! and the source may be through associations as well.
//!
//! Associations of one model or of several may be declared through each other in a circle, which the compiler cannot
//! detect. A [`Chain`](crate::metadata::Chain) refuses a circle before it resolves the parts.

use super::dependent::{DependentRows, LinkTargets, conditions};
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, JoinRecord, KeySide, Linkage, Route};
use crate::error::{Error, Result};
use crate::metadata::expr::Expr;
use crate::metadata::model::Discriminator;

/// A through association. The two associations are functions, because constants of models that refer to each other
/// would form a cycle.
#[derive(Debug, Clone, Copy)]
pub struct ThroughKind {
    /// The association of the owner that it goes through.
    pub through: fn() -> &'static AssociationDef,
    /// The association of the intermediate model to the targets.
    pub source: fn() -> &'static AssociationDef,
    /// The tag of the one type to follow, of a polymorphic source.
    pub source_type: Option<&'static str>,
    /// Whether this is a `has_one`.
    pub one: bool,
}

impl AssociationBehavior for ThroughKind {
    fn association_kind(&self) -> AssociationKind {
        if self.one { AssociationKind::HasOneThrough } else { AssociationKind::HasManyThrough }
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
        Ok(match self.row_between(association)? {
            Ok(row) => Linkage::JoinRecord(row),
            Err(reason) => Linkage::ReadOnly(reason.into()),
        })
    }

    // The rows between, never the targets (D6, D16).
    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>> {
        let Some(rule) = association.options.dependent else { return Ok(Vec::new()) };
        let record = self.row_between(association)?.map_err(|reason| {
            let message = format!(
                "the association `{}` has `dependent = \"{}\"`, and no single row links a target to its owner: {reason}; say \
                 `dependent` of the association it goes through",
                association.qualified_name(),
                rule.name()
            );
            Error::invalid_query((association.owner)().name, message)
        })?;
        let (through, source) = ((self.through)(), (self.source)());
        let target = (association.target)();
        let of_targets = target.base_scope(true).filter;
        let of_targets = of_targets.and(conditions(source, association)?).and(conditions(association, association)?);
        let mut of_rows = conditions(through, association)?;
        if let Some(Discriminator { column, tag }) = record.target_type {
            of_rows = Expr::tagged(&record.table.columns[column], tag).and(of_rows);
        }
        let rows = DependentRows::new(record.table, record.owner, rule).limited_to(of_rows);
        let targets = LinkTargets { model: target, key: record.target, filter: of_targets };
        Ok(vec![DependentRows { targets: Some(targets).filter(|targets| !targets.filter.is_always()), ..rows }])
    }

    fn parts(&self) -> Option<[&'static AssociationDef; 2]> {
        Some([(self.through)(), (self.source)()])
    }
}

impl ThroughKind {
    // The row that links a target to its owner, with the keys of both, or the reason why there is none.
    fn row_between(&self, association: &AssociationDef) -> Result<Result<JoinRecord, String>> {
        let (through, source) = ((self.through)(), (self.source)());
        let table = (through.target)();
        if let Some(nested) = [through, source].into_iter().find(|part| part.kind.parts().is_some()) {
            return Ok(Err(format!("it goes through `{}`, which goes through others itself", nested.qualified_name())));
        }
        let Some((KeySide::Target, owner)) = through.linkage()?.key() else {
            let (row, name) = (table.name, through.qualified_name());
            return Ok(Err(format!("it goes through `{name}`, and a {row} does not hold the key of one owner")));
        };
        if through.kind.cardinality() != self.cardinality() {
            let many = if self.one { "may have several" } else { "has one at most" };
            return Ok(Err(format!("it goes through `{}`, of which an owner {many}", through.qualified_name())));
        }
        if let Some(tag) = self.source_type {
            check_source_type(association, source, tag)?;
        }
        let (target, target_type) = match (source.linkage()?, self.source_type) {
            (Linkage::OwnerKey(key), _) => (key, None),
            (Linkage::OwnerKeyAndType { owner_columns, type_column, variants }, tag) => {
                let Some(variant) = tag.and_then(|tag| variants.iter().find(|variant| variant.tag == tag)) else {
                    return Ok(Err(format!("its source `{}` leads to several models", source.qualified_name())));
                };
                (variant.hop(owner_columns), Some(Discriminator { column: type_column, tag: variant.tag }))
            }
            (Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_), _) => {
                let (row, name) = (table.name, source.qualified_name());
                return Ok(Err(format!("its source is `{name}`, and a {row} does not hold the key of one target")));
            }
        };
        Ok(Ok(JoinRecord { table, rows: Some(through), source: Some(source), owner, target, target_type }))
    }
}

// Checks that the source stores the association's target under this tag.
fn check_source_type(association: &AssociationDef, source: &AssociationDef, tag: &str) -> Result<()> {
    let variants = match source.linkage()? {
        Linkage::OwnerKeyAndType { variants, .. } => variants,
        Linkage::OwnerKey(_) | Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_) => &[],
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
