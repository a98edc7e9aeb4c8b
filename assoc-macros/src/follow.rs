//! `counter_cache` and `touch`: what follows in the rows that an association's rows belong to, or in the row that belongs to them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::attributes::{Argument, FieldName, FieldNames};
use crate::errors::Errors;
use crate::expand::{generated, outside};
use crate::kinds::Kind;
use crate::names::{table_name, token};

use crate::parse::AssociationInput;
use crate::validate::{Association, Model};

/// The options as they are given.
#[derive(Default, Clone)]
pub(crate) struct FollowInput {
    /// Where it is said that rows are counted, and in which field.
    pub(crate) counter: Option<(Span, Option<FieldName>)>,
    /// Whether the counter may stand for a count, and where that is said.
    pub(crate) active: Option<(Span, bool)>,
    /// Where it is said that times follow, and which beside `updated_at`.
    pub(crate) touch: Option<(Span, Option<FieldNames>)>,
}

impl FollowInput {
    /// Reads `counter_cache`.
    pub(crate) fn counter(&mut self, kind: Kind, argument: &Argument, errors: &mut Errors) {
        let bare = argument.is_bare() && kind == Kind::BelongsTo;
        let named = if bare { None } else { argument.field(errors) };
        self.counter = (bare || named.is_some()).then(|| (argument.span(), named));
    }

    /// Reads `counter_cache_active`.
    pub(crate) fn active(&mut self, argument: &Argument, errors: &mut Errors) {
        self.active = argument.boolean(errors).map(|active| (argument.span(), active));
    }

    /// Reads `touch`.
    pub(crate) fn touch(&mut self, argument: &Argument, errors: &mut Errors) {
        let named = if argument.is_bare() { None } else { argument.field_list(errors) };
        self.touch = (argument.is_bare() || named.is_some()).then(|| (argument.span(), named));
    }

    /// What cannot stand beside them.
    pub(crate) fn check(&self, input: &AssociationInput, errors: &mut Errors) {
        let given = |option: &str| input.given.iter().any(|(name, _)| name == option);
        if let (Some((span, _)), None) = (&self.active, &self.counter) {
            errors.at(*span, "`counter_cache_active` is about a `counter_cache`, and there is none".to_owned());
        }
        let options = [
            ("counter_cache", self.counter.as_ref().map(|(at, _)| *at)),
            ("touch", self.touch.as_ref().map(|(at, _)| *at)),
        ];
        for (option, span) in options {
            let Some(span) = span else { continue };
            if input.kind == Kind::HasOne && given("through") {
                let message = format!(
                    "`{option}` has no place here: the row holds no key of the owner; say it on the associations that this one \
                     goes through"
                );
                errors.at(span, message);
                continue;
            }
            if matches!(input.kind, Kind::BelongsTo | Kind::HasOne) {
                if given("scope_by_owner") {
                    let message =
                        format!("`{option}` has no place here: with `scope_by_owner` each row would need a statement");
                    errors.at(span, message);
                }
                continue;
            }
            let limits = ["scope", "filter", "limit", "offset", "distinct", "scope_by_owner", "finder_sql"];
            if let Some(limit) = limits.into_iter().find(|option| given(option)) {
                let message = format!(
                    "`{option}` has no place here: the column counts all rows that belong to the owner, and this association \
                     has others, by its `{limit}`"
                );
                errors.at(span, message);
            }
        }
    }
}

// The field that counts: `comments_count`, after the model whose rows it counts.
fn counter_field(model: &Model, named: Option<&FieldName>) -> String {
    named.map_or_else(|| format!("{}_count", table_name(&model.name)), |named| named.name.clone())
}

/// The calls that set the options.
pub(crate) fn options(model: &Model, association: &Association) -> TokenStream {
    let mut options = TokenStream::new();
    let FollowInput { counter, active, touch } = &association.follow;
    let target = &association.target;
    let is_polymorphic = association.keys.type_column().is_some();
    let outside = outside(model, target);
    if let Some((span, named)) = counter {
        if let Some(column) = association.counted_in {
            options.extend(quote!(.counted_in(#column)));
        } else if association.kind == Kind::BelongsTo {
            let at = generated(named.as_ref().map_or(*span, |named| named.span));
            let field = counter_field(model, named.as_ref());
            let columns = if is_polymorphic {
                quote_spanned! {at=> {
                    const __N: usize = <#outside as __assoc::Polymorphic>::VARIANTS.len();
                    const __COUNTERS: [usize; __N] = __assoc::variant_counters::<#outside, __N>(#field);
                    &__COUNTERS
                }}
            } else {
                let column = token(&field, at);
                quote_spanned!(at=> &[<#target>::#column.index()])
            };
            let active = active.is_none_or(|(_, active)| active);
            options.extend(quote!(.counter_cache(__assoc::CounterCache::new(#columns, #active))));
        }
    }
    if let Some((span, named)) = touch {
        let at = generated(named.as_ref().map_or(*span, |named| named.span));
        let fields: &[String] = named.as_ref().map_or(&[], |named| &named.names);
        let columns = if is_polymorphic {
            let width = fields.len();
            quote_spanned! {at=> {
                const __N: usize = <#outside as __assoc::Polymorphic>::VARIANTS.len();
                const __TOUCHED: [[usize; #width]; __N] =
                    __assoc::variant_touched::<#outside, __N, #width>([#(#fields),*]);
                const __ALL: [&'static [usize]; __N] = __assoc::touched_of::<__N, #width>(&__TOUCHED);
                &__ALL
            }}
        } else {
            let columns = fields.iter().map(|field| token(field, at));
            quote_spanned!(at=> &[&[#(<#target>::#columns.index()),*]])
        };
        options.extend(quote!(.touch(__assoc::Touch::new(#columns))));
    }
    options
}

/// Constants that can only be computed if the named columns of the target can follow.
pub(crate) fn check(model: &Model, association: &Association) -> Option<TokenStream> {
    if !matches!(association.kind, Kind::BelongsTo | Kind::HasOne) || association.keys.type_column().is_some() {
        return None;
    }
    let FollowInput { counter, touch, .. } = &association.follow;
    let target = outside(model, &association.target);
    let column = |field: &str, at: Span| -> TokenStream {
        let column: Ident = token(field, at);
        quote_spanned!(at=> <#target>::#column.index())
    };
    let counter = counter.as_ref().map(|(span, named)| {
        let at = generated(named.as_ref().map_or(*span, |named| named.span));
        let column = column(&counter_field(model, named.as_ref()), at);
        quote_spanned!(at=> const _: () = __assoc::check_counter::<#target>(#column);)
    });
    let touch = touch.as_ref().map(|(span, named)| match named {
        None => {
            let at = generated(*span);
            quote_spanned!(at=> const _: () = __assoc::check_touch::<#target>();)
        }
        Some(named) => {
            let at = generated(named.span);
            let columns = named.names.iter().map(|field| column(field, at));
            quote_spanned!(at=> #(const _: () = __assoc::check_touched::<#target>(#columns);)*)
        }
    });
    (counter.is_some() || touch.is_some()).then(|| quote!(#counter #touch))
}
