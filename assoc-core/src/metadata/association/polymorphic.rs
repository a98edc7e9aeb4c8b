//! Polymorphic `belongs_to`: the owner names the type of its target in one column and its key in others. The target's
//! type is an enum, so a `match` on a loaded target is exhaustive.

use std::any::Any;
use std::fmt;

use super::dependent::DependentRows;
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, KeyJoin, Linkage, Parent, Route};
use crate::error::{Error, Result};
use crate::metadata::model::{ColumnDef, Discriminator, ModelDef};
use crate::metadata::rows::Rows;

/// An enum of models, one per variant. Derived with `#[derive(Polymorphic)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a polymorphic target",
    label = "not an enum of models",
    note = "add `#[derive(Polymorphic)]` to the enum"
)]
pub trait Polymorphic: Clone + Send + Sync + Sized + 'static {
    /// The models, each with the tag it is stored under.
    const VARIANTS: &'static [VariantDef];
}

/// A polymorphic enum has a variant for model `M`. The derive implements this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of models with a variant for `{M}`",
    label = "this association does not lead to `{M}`",
    note = "the target of a polymorphic association, and of a source that `source_type` follows, is an enum with `#[derive(Polymorphic)]`, one variant per model"
)]
pub trait HasVariant<M>: Polymorphic {
    /// The columns of `M` that the owner's key refers to.
    const KEY: &'static [usize];
    /// The tag that rows of `M` have in the type column.
    const TAG: &'static str;
}

/// One model that a polymorphic association can refer to.
#[derive(Clone, Copy)]
pub struct VariantDef {
    /// The tag in the type column.
    pub tag: &'static str,
    /// The model.
    pub model: fn() -> &'static ModelDef,
    /// The model's columns, as a constant.
    pub columns: &'static [ColumnDef],
    /// The model's columns that the owner's key refers to.
    pub key: &'static [usize],
    /// Turns a `Vec<M>` of the model into a `Vec<Arc<E>>` of the enum.
    pub share: fn(Box<dyn Rows>) -> Box<dyn Any>,
    /// The model's row in a value of the enum; `None` if the value is another variant.
    pub row: fn(&dyn Any) -> Option<&dyn Any>,
    /// The model's row in a value of the enum, to change it; `None` if the value is another variant.
    pub row_mut: fn(&mut dyn Any) -> Option<&mut dyn Any>,
}

impl VariantDef {
    /// The key from an owner that names this type, whose key is in these columns, to the model.
    ///
    /// ```
    /// # use assoc_core::{Model, Polymorphic, BelongsTo};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Picture {
    /// #     id: i64,
    /// #     imageable_id: i64,
    /// #     imageable_type: String,
    /// #     #[belongs_to(polymorphic)]
    /// #     imageable: BelongsTo<Imageable>,
    /// # }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Product { id: i64 }
    /// # #[derive(assoc_macros::Polymorphic, Debug, Clone)]
    /// # enum Imageable { Product(Product) }
    /// use assoc_core::metadata::Route;
    ///
    /// let imageable = Picture::IMAGEABLE.def();
    /// let Route::Polymorphic { owner_columns, variants, .. } = imageable.kind.route(imageable)? else { panic!("types") };
    /// let hop = variants[0].hop(owner_columns);
    /// assert!(hop.unique && hop.owner_columns == [Picture::IMAGEABLE_ID.index()]);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn hop(&self, owner_columns: &'static [usize]) -> KeyJoin {
        let unique = (self.model)().primary_key == self.key;
        KeyJoin { owner_columns, target_columns: self.key, unique, target_type: None }
    }
}

impl fmt::Debug for VariantDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariantDef")
            .field("tag", &self.tag)
            .field("model", &(self.model)().name)
            .finish_non_exhaustive()
    }
}

/// Checks that an `as` uses the tag and the key by which the other side refers to the owner, where the target declares
/// that: in a polymorphic `belongs_to` over the same columns with the owner's model among its types.
pub(super) fn check_other_side(
    association: &AssociationDef,
    named: Discriminator,
    owner_key: &[usize],
    foreign_key: &[usize],
) -> Result<()> {
    let (owner, target) = ((association.owner)(), (association.target)());
    let mut wrong = None;
    for other in target.associations {
        let Ok(Linkage::OwnerKeyAndType { type_column, owner_columns, variants }) = other.linkage() else { continue };
        let own = variants.iter().filter(|variant| type_column == named.column && (variant.model)() == owner);
        for variant in own {
            let same_tag = variant.tag == named.tag;
            if same_tag && (variant.key == owner_key || owner_columns != foreign_key) {
                return Ok(());
            }
            wrong = Some((other.name, variant, same_tag));
        }
    }
    let Some((other, variant, same_tag)) = wrong else { return Ok(()) };
    let (name, tag) = (association.qualified_name(), variant.tag);
    let message = if same_tag {
        let fields = |columns: &[usize]| columns.iter().map(|column| owner.columns[*column].field).collect::<Vec<_>>();
        let (own, key) = (fields(owner_key).join(", "), fields(variant.key).join(", "));
        format!(
            "the association `{name}` goes by `{own}`, but `{}.{other}` refers to `{}` by `{key}`: write \
             `primary_key = \"{key}\"`",
            target.name, owner.name
        )
    } else {
        format!(
            "the association `{name}` looks for rows of type `{}`, but `{}.{other}` stores `{}` as `{tag}`: write \
             `tag = \"{tag}\"`",
            named.tag, target.name, owner.name
        )
    };
    Err(Error::invalid_query(owner.name, message))
}

/// Polymorphic `belongs_to` with its columns.
#[derive(Debug, Clone, Copy)]
pub struct PolymorphicBelongsToKind {
    /// The owner's foreign key columns.
    pub foreign_key: &'static [usize],
    /// The owner's column that names the type.
    pub foreign_type: usize,
    /// The models.
    pub variants: &'static [VariantDef],
}

impl AssociationBehavior for PolymorphicBelongsToKind {
    fn association_kind(&self) -> AssociationKind {
        AssociationKind::BelongsTo
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::One
    }

    fn route(&self, _: &AssociationDef) -> Result<Route> {
        Ok(Route::Polymorphic {
            type_column: self.foreign_type,
            owner_columns: self.foreign_key,
            variants: self.variants,
        })
    }

    fn linkage(&self, _: &AssociationDef) -> Result<Linkage> {
        Ok(Linkage::OwnerKeyAndType {
            owner_columns: self.foreign_key,
            type_column: self.foreign_type,
            variants: self.variants,
        })
    }

    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>> {
        let Some(rule) = association.options.dependent else { return Ok(Vec::new()) };
        let of_type = |variant: &VariantDef| {
            let named = Discriminator { column: self.foreign_type, tag: variant.tag };
            let rows = DependentRows::new((variant.model)(), variant.hop(self.foreign_key), rule).owned_key();
            DependentRows { owner_type: Some(named), ..rows }
        };
        Ok(self.variants.iter().map(of_type).collect())
    }

    fn parents(&self, association: &'static AssociationDef) -> Vec<Parent> {
        let of_type = |(place, variant): (usize, &VariantDef)| {
            let parent = Parent::of(association, place, (variant.model)(), variant.key, self.foreign_key)?;
            Some(parent.named(self.foreign_type, variant.tag))
        };
        self.variants.iter().enumerate().filter_map(of_type).collect()
    }
}
