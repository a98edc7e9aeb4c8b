//! The kinds of associations. Each has a module with what its attribute takes, the check of what is given, and the code
//! that its [`Keys`] become. Everything else asks the trait.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;
use syn::spanned::Spanned;

use crate::attributes::Inverse;
use crate::errors::Errors;
use crate::expand::generated;
use crate::holder::Holder;
use crate::names::plain;
use crate::options::OptionTable;
use crate::parse::{AssociationInput, FieldInput};
use crate::validate::{Association, Model, Owner};

mod belongs_to;
mod custom_sql;
mod has_and_belongs_to_many;
mod has_many;
mod has_one;
mod key_at_target;
mod polymorphic_belongs_to;
mod through;

pub(crate) use through::Through;

// Why associations to one do not take what other associations take.
const AT_MOST_ONE: &str = "there is at most one target";
const BY_TYPE: &str = "write the field's type as `Option`, or not: `BelongsTo<Option<User>>`";

/// The kinds of associations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    BelongsTo,
    HasOne,
    HasMany,
    HasAndBelongsToMany,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::BelongsTo, Kind::HasOne, Kind::HasMany, Kind::HasAndBelongsToMany];

    /// What its attribute takes.
    pub(crate) const fn table(self) -> &'static OptionTable {
        match self {
            Kind::BelongsTo => &belongs_to::OPTIONS,
            Kind::HasOne => &has_one::OPTIONS,
            Kind::HasMany => &has_many::OPTIONS,
            Kind::HasAndBelongsToMany => &has_and_belongs_to_many::OPTIONS,
        }
    }

    /// Its attribute's name: `has_many`.
    pub(crate) const fn attribute(self) -> &'static str {
        self.table().attribute
    }

    /// The type its field has.
    pub(crate) const fn holder(self, through: bool) -> Holder {
        match self {
            Kind::BelongsTo => Holder::BelongsTo,
            Kind::HasOne => Holder::HasOne,
            Kind::HasMany if through => Holder::HasManyThrough,
            Kind::HasMany => Holder::HasMany,
            Kind::HasAndBelongsToMany => Holder::HasAndBelongsToMany,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.attribute())
    }
}

/// How an association connects two models. Columns of its model are indexes, those of the target are constants of the
/// target.
pub(crate) trait Keys {
    /// The core's value that describes the association.
    fn behavior(&self, model: &Model, association: &Association) -> TokenStream;

    /// The function that gives the target's definition.
    fn target_definition(&self, _model: &Model, association: &Association) -> TokenStream {
        let target = &association.target;
        quote_spanned!(generated(association.slot.span())=> <#target as __assoc::Model>::definition)
    }

    /// Calls that compile only if the types of foreign key and key fit.
    fn type_checks(&self, _model: &Model, _association: &Association) -> TokenStream {
        TokenStream::new()
    }

    /// A constant that can be computed only if what two structs say of their keys agrees, where types alone do not tell.
    fn value_check(&self, _model: &Model, _association: &Association) -> Option<TokenStream> {
        None
    }

    /// The columns of the model that refer to the target.
    fn referring(&self) -> &[usize] {
        &[]
    }

    /// The columns of the target that refer to the model, as code, in which `target` is the target's type.
    fn referring_of_target(&self, _target: &TokenStream, _at: Span) -> Option<TokenStream> {
        None
    }

    /// A constant that says which columns of the model refer to the target: what an association of the target that names this
    /// one as its inverse takes its foreign key from.
    fn foreign_key_constant(&self, _model: &Model, _association: &Association) -> Option<TokenStream> {
        None
    }

    /// The column of the model that names the target's type.
    fn type_column(&self) -> Option<usize> {
        None
    }

    /// The function that checks an inverse: it compiles only if the two associations are each other's. `None` if the check of
    /// the keys is one of it.
    fn inverse_check(&self) -> Option<&'static str> {
        Some("check_inverse")
    }

    /// The two associations that it is made of.
    fn through(&self) -> Option<&Through> {
        None
    }
}

impl Kind {
    /// Checks the options that concern keys.
    pub(crate) fn keys(
        self,
        owner: &Owner<'_>,
        field: &FieldInput,
        input: &AssociationInput,
        primary_key: Option<&[usize]>,
        errors: &mut Errors,
    ) -> Option<Box<dyn Keys>> {
        refuse_misplaced(owner, field, input, errors);
        match self {
            Kind::BelongsTo => belongs_to::keys(owner, field, input, errors),
            Kind::HasOne => has_one::keys(owner, field, input, primary_key, errors),
            Kind::HasMany => has_many::keys(owner, field, input, primary_key, errors),
            Kind::HasAndBelongsToMany => has_and_belongs_to_many::keys(owner, input, primary_key, errors),
        }
    }
}

/// Keys for as long as it takes to report why they are not known.
pub(crate) fn unknown() -> Box<dyn Keys> {
    let foreign_key = key_at_target::ForeignKey::Named(Vec::new());
    Box::new(key_at_target::KeyAtTarget { owner_key: Vec::new(), foreign_key, target_type: None })
}

// Reports options that say more about another option, which is not given.
fn refuse_misplaced(owner: &Owner<'_>, field: &FieldInput, input: &AssociationInput, errors: &mut Errors) {
    if input.given("through").is_none() {
        let why = "says more about a `through` association, and this one has no `through = \"…\"`";
        input.refuse(&["source", "source_type"], why, errors);
        if input.kind == Kind::HasMany {
            let why = "is for associations that may lead to a row several times, by `through` or a join table; \
                       a `has_many` never does";
            input.refuse(&["distinct"], why, errors);
        }
    }
    if input.given("finder_sql").is_none() {
        let why = "counts what `finder_sql` finds, and this one has no `finder_sql = …`";
        input.refuse(&["counter_sql"], why, errors);
    }
    let name = plain(&field.ident);
    if let Some(Inverse::Named(inverse)) = &input.options.scope_def.inverse
        && inverse.name == name
        && last_name(&input.field.target).is_some_and(|target| target == owner.name || target == "Self")
    {
        let message = format!(
            "`{name}` cannot be its own inverse: name the one that leads back, or say that there is none with \
             `inverse_of = false`"
        );
        errors.at(inverse.span, message);
    }
}

impl AssociationInput {
    /// Where an option is given.
    pub(crate) fn given(&self, option: &str) -> Option<Span> {
        self.given.iter().find(|(name, _)| name == option).map(|(_, span)| *span)
    }

    /// Reports options that make no sense here.
    pub(crate) fn refuse(&self, options: &[&str], why: &str, errors: &mut Errors) {
        for option in options {
            if let Some(span) = self.given(option) {
                errors.at(span, format!("`{option}` {why}"));
            }
        }
    }
}

// The last word of a type's path.
fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| plain(&segment.ident)),
        Type::Group(group) => last_name(&group.elem),
        Type::Paren(paren) => last_name(&paren.elem),
        _ => None,
    }
}

fn one_for_one(foreign_key: &str, key: &str) -> String {
    format!("a foreign key has a column for each column of the key: {foreign_key} cannot refer to {key}")
}
