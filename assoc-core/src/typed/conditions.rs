//! Conditions on what an association leads to: `User::POSTS.any(…)`, `.none(…)`, `.associated()`, `.missing()`.

use super::association::Association;
use super::column::Filter;
use crate::metadata::association::{AssociationDef, Linkage};
use crate::metadata::expr::{Comparison, Expr, Operand};
use crate::metadata::model::{Model, ModelDef};

impl<O, T, H> Association<O, T, H> {
    fn related(self, filter: Expr) -> Filter<O> {
        Filter::new(Expr::related(self.def(), filter))
    }

    /// Owners with at least one target that satisfies a condition: `EXISTS`, which never repeats an owner. The targets are
    /// those that loading the association gives: of a `has_one` the one that it chooses, of an association with a limit
    /// the first few.
    ///
    /// ```ignore
    /// Query::filter(User::POSTS.any(Post::PUBLISHED.eq(true)))
    /// ```
    #[must_use]
    pub fn any(self, filter: Filter<T>) -> Filter<O> {
        self.related(filter.into_expr())
    }

    /// Owners with no target that satisfies a condition.
    #[must_use]
    pub fn none(self, filter: Filter<T>) -> Filter<O> {
        self.any(filter).not()
    }

    /// Owners whose association leads to this very row: `Query::filter(Post::AUTHOR.is(&ann))`. Of a `belongs_to` a
    /// comparison with the owner's key; of the others an `EXISTS` with the target's primary key. A row whose key is
    /// `NULL` has no owners.
    #[must_use]
    pub fn is<R>(self, target: &R) -> Filter<O>
    where
        R: Model,
        T: OfType<R>,
    {
        self.is_any_of(std::slice::from_ref(target))
    }

    /// Owners whose association leads to one of these rows.
    #[must_use]
    pub fn is_any_of<R>(self, targets: &[R]) -> Filter<O>
    where
        R: Model,
        T: OfType<R>,
    {
        let targets: Vec<&R> = targets.iter().collect();
        Filter::new(leads_to(self.def(), &targets))
    }

    /// Owners with at least one target.
    #[must_use]
    pub fn associated(self) -> Filter<O> {
        self.related(Expr::always())
    }

    /// Owners without any target: none is referred to, or what is referred to does not exist.
    #[must_use]
    pub fn missing(self) -> Filter<O> {
        self.associated().not()
    }
}

/// A target of type `R`: the association's own, or one of those of a polymorphic enum.
#[diagnostic::on_unimplemented(message = "this association does not lead to `{R}`", label = "it leads to `{Self}`")]
pub trait OfType<R> {}

impl<T: Model> OfType<T> for T {}

// The condition that an association leads to one of some rows.
fn leads_to<R: Model>(association: &'static AssociationDef, targets: &[&R]) -> Expr {
    let owner = (association.owner)();
    match association.linkage() {
        Ok(Linkage::OwnerKey(key)) => have_values_of(owner, key.owner_columns, targets, key.target_columns),
        Ok(Linkage::OwnerKeyAndType { type_column, owner_columns, variants }) => {
            match variants.iter().find(|variant| (variant.model)() == R::DEF) {
                Some(variant) => Expr::tagged(&owner.columns[type_column], variant.tag).and(have_values_of(
                    owner,
                    owner_columns,
                    targets,
                    variant.key,
                )),
                None => Expr::Any(Vec::new()),
            }
        }
        // A declaration that does not hold together is refused by whoever writes the condition.
        Ok(Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_)) | Err(_) => {
            let filter = have_values_of(R::DEF, R::PRIMARY_KEY, targets, R::PRIMARY_KEY);
            Expr::related(association, filter)
        }
    }
}

// That columns have the values that one of the rows has in others. A row with a `NULL` among them is none.
fn have_values_of<R: Model>(model: &ModelDef, columns: &[usize], rows: &[&R], of: &[usize]) -> Expr {
    let keys = rows.iter().filter_map(|row| R::DEF.key_in(*row, of));
    let operand = |column: usize| Operand::Column(model.columns[column].column_ref());
    match columns {
        // A table without a key has no row that could be told from others.
        [] => Expr::Any(Vec::new()),
        [column] => {
            Expr::In { operand: operand(*column), values: keys.flat_map(|key| key.values().to_vec()).collect() }
        }
        columns => Expr::Any(
            keys.map(|key| {
                let equal = columns.iter().zip(key.values()).map(|(column, value)| Expr::Compare {
                    left: operand(*column),
                    op: Comparison::Eq,
                    right: Operand::Value(value.clone()),
                });
                Expr::All(equal.collect())
            })
            .collect(),
        ),
    }
}
