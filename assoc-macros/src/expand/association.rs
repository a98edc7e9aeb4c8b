//! An association: its definition, its constant with the compile-time checks, its accessor.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, Type};

use super::generated;
use crate::attributes::Inverse;
use crate::names::{plural, token};
use crate::options::Holder;
use crate::parse::ShapeInput;
use crate::validate::{Association, Keys, Model, TargetKey, TargetType, Through};

/// The `AssociationDef`.
pub(super) fn definition(model: &Model, association: &Association) -> TokenStream {
    let Association { name, field, slot, target, .. } = association;
    let plural = plural(name);
    let owner = &model.ident;
    // At the target's name: what is wrong with it is said there.
    let at = generated(slot.span());
    let kind = kind(model, association);
    let slot_type = format_ident!("{}", association.holder.slot());
    let options = options(model, association);
    let target = match association.keys {
        Keys::Polymorphic { .. } => quote_spanned!(at=> || __assoc::first_variant::<#target>()),
        _ => quote_spanned!(at=> || <#target as __assoc::Model>::DEF),
    };
    let join_row = join_row(association);
    let stored = quote_spanned! {at=>
        &__assoc::#slot_type::<#owner, #slot #join_row>::new(|__owner| &__owner.#field, |__owner| &mut __owner.#field)
    };
    quote! {
        __assoc::AssociationDef::new(
            #name,
            #plural,
            || <#owner as __assoc::Model>::DEF,
            #target,
            #kind,
            #stored,
            __assoc::Options::new() #options,
        )
    }
}

fn kind(model: &Model, association: &Association) -> TokenStream {
    let target = &association.target;
    let owner = &model.ident;
    let at = generated(target.span());
    let columns = |tokens: &[Ident]| {
        let columns = tokens.iter().map(|token| target_column(association, token));
        quote!(&[#(#columns.index()),*])
    };
    let kind = format_ident!("{}Kind", association.holder.name());
    let primary_key = || quote_spanned!(at=> <#target as __assoc::Model>::PRIMARY_KEY);
    match &association.keys {
        Keys::Own { foreign_key, target_key } => {
            let target_key = match target_key {
                TargetKey::Primary => primary_key(),
                TargetKey::Named(tokens) => columns(tokens),
            };
            quote!(&__assoc::#kind { foreign_key: &[#(#foreign_key),*], target_key: #target_key })
        }
        Keys::Theirs { owner_key, foreign_key, target_type } => {
            let foreign_key = columns(foreign_key);
            let target_type = match target_type {
                None => quote!(__assoc::Option::None),
                Some(TargetType { column, tag, .. }) => {
                    let column = target_column(association, column);
                    quote!(__assoc::Option::Some(__assoc::Discriminator { column: #column.index(), tag: #tag }))
                }
            };
            quote! {
                &__assoc::#kind {
                    owner_key: &[#(#owner_key),*],
                    foreign_key: #foreign_key,
                    target_type: #target_type,
                }
            }
        }
        Keys::Polymorphic { foreign_key, foreign_type, .. } => {
            let variants = quote_spanned!(at=> <#target as __assoc::Polymorphic>::VARIANTS);
            quote! {
                &__assoc::PolymorphicBelongsToKind {
                    foreign_key: &[#(#foreign_key),*],
                    foreign_type: #foreign_type,
                    variants: #variants,
                }
            }
        }
        Keys::Through(through) => through_kind(model, association, through),
        Keys::Finder { find, count } => {
            let find = finder(model, find);
            let count = match count {
                None => quote!(__assoc::Option::None),
                Some(count) => {
                    let count = finder(model, count);
                    quote!(__assoc::Option::Some(#count))
                }
            };
            let declared_as = format_ident!("{}", association.holder.name());
            quote! {
                &__assoc::FinderKind {
                    finder: __assoc::Finder { find: #find, count: #count },
                    declared_as: __assoc::Macro::#declared_as,
                }
            }
        }
        Keys::JoinTable { owner_columns, target_columns, .. } if association.join_row.is_some() => {
            let join_row = &association.join_row;
            let table = quote_spanned!(generated(join_row.span())=> <#join_row as __assoc::Model>::DEF);
            let owner_columns = join_columns(association, owner_columns, association.key_span);
            let target_columns = join_columns(association, target_columns, association.association_key_span);
            let target_key = primary_key();
            quote! {
                &__assoc::HasAndBelongsToManyKind {
                    join_table: || #table,
                    owner_key: <#owner as __assoc::Model>::PRIMARY_KEY,
                    owner_columns: &[#(#owner_columns.index()),*],
                    target_columns: &[#(#target_columns.index()),*],
                    target_key: #target_key,
                }
            }
        }
        Keys::JoinTable { table, owner_columns, target_columns } => {
            let table = match table {
                None => quote!(__assoc::Option::None),
                Some((schema, name)) => {
                    let schema = match schema {
                        Some(schema) => quote!(__assoc::Option::Some(#schema)),
                        None => quote!(__assoc::Option::None),
                    };
                    quote!(__assoc::Option::Some(__assoc::TableRef { schema: #schema, name: #name }))
                }
            };
            let target_key = primary_key();
            let own = 0..owner_columns.len();
            let others = owner_columns.len()..owner_columns.len() + target_columns.len();
            quote! {
                &__assoc::HasAndBelongsToManyKind {
                    join_table: || {
                        static __TABLE: __assoc::OnceLock<__assoc::ModelDef> = __assoc::OnceLock::new();
                        __TABLE.get_or_init(|| {
                            __assoc::join_table_def::<#owner, #target>(
                                #table,
                                &[#(#owner_columns),*],
                                &[#(#target_columns),*],
                            )
                        })
                    },
                    owner_key: <#owner as __assoc::Model>::PRIMARY_KEY,
                    owner_columns: &[#(#own),*],
                    target_columns: &[#(#others),*],
                    target_key: #target_key,
                }
            }
        }
    }
}

// A function of the owner that gives SQL.
fn finder(model: &Model, path: &Path) -> TokenStream {
    let owner = &model.ident;
    let call = quote_spanned!(generated(path.span())=> #path(__owner));
    quote! {
        |__owner: &dyn __assoc::Any| -> __assoc::RawSql {
            match __owner.downcast_ref::<#owner>() {
                __assoc::Option::Some(__owner) => #call,
                __assoc::Option::None => __assoc::Default::default(),
            }
        }
    }
}

fn through_kind(model: &Model, association: &Association, through: &Through) -> TokenStream {
    let owner = &model.ident;
    let target = &association.target;
    let Through { through: token, middle, sources, named, source_type } = through;
    let at = generated(token.span());
    let token = Ident::new(&token.to_string(), at);
    let by = quote_spanned!(at=> <#owner>::#token.def());
    let at = generated(sources.first().map_or(association.span, Ident::span));
    let sources: Vec<Ident> = sources.iter().map(|source| Ident::new(&source.to_string(), at)).collect();
    let (first, second) = match sources.as_slice() {
        [first, second] => (quote_spanned!(at=> <#middle>::#first), quote_spanned!(at=> <#middle>::#second)),
        sources => (quote_spanned!(at=> <#middle>::#(#sources)*), quote_spanned!(at=> __assoc::Missing)),
    };
    let pick = if source_type.is_some() { "PickTypedSource" } else { "PickSource" };
    let pick = Ident::new(pick, at);
    let source = quote_spanned!(at=> __assoc::#pick::<#target>::def((#first, #second)));
    // A constant of the model itself wins over one of a trait, so this is what there is if the model has none.
    let otherwise = if *named { TokenStream::new() } else { missing(&format_ident!("__Source"), &sources) };
    let source_type = match source_type {
        None => quote!(__assoc::Option::None),
        Some(tag) => quote!(__assoc::Option::Some(#tag)),
    };
    let one = association.holder.is_to_one();
    quote! {
        &__assoc::ThroughKind {
            through: || #by,
            source: || {
                #otherwise
                #source
            },
            source_type: #source_type,
            one: #one,
        }
    }
}

// Constants for models that do not have them.
fn missing(name: &Ident, constants: &[Ident]) -> TokenStream {
    quote! {
        #[allow(dead_code)]
        trait #name {
            #(const #constants: __assoc::Missing = __assoc::Missing;)*
        }
        impl<__T> #name for __T {}
    }
}

fn options(model: &Model, association: &Association) -> TokenStream {
    let Association { slot, target, shape, .. } = association;
    let mut options = TokenStream::new();
    if association.holder.is_to_one() {
        options.extend(quote_spanned!(generated(slot.span())=> .optional(<#slot as __assoc::ToOne>::OPTIONAL)));
    }
    if let Some(scope) = scope(association) {
        options.extend(quote!(.scope(|| __assoc::Scope::into_shape(#scope))));
    }
    if let Some(path) = &shape.owner_scope {
        let owner = &model.ident;
        let at = generated(path.span());
        let call = quote_spanned!(at=> #path(__owner, __assoc::Scope::<#target>::new()));
        options.extend(quote! {
            .owner_scope(|__owner: &dyn __assoc::Any| match __owner.downcast_ref::<#owner>() {
                __assoc::Option::Some(__owner) => __assoc::Scope::into_shape(#call),
                __assoc::Option::None => __assoc::Default::default(),
            })
        });
    }
    if association.leaves_unknown {
        options.extend(quote!(.unknown_type(__assoc::UnknownType::NotLoaded)));
    }
    if shape.readonly.is_some() {
        options.extend(quote!(.readonly()));
    }
    match &shape.inverse {
        None => {}
        Some(Inverse::None) => options.extend(quote!(.inverse(__assoc::Inverse::None))),
        Some(Inverse::Named(inverse)) => {
            let name = &inverse.name;
            options.extend(quote!(.inverse(__assoc::Inverse::Named(#name))));
        }
    }
    options
}

// All that is said about which rows there are, applied one after the other.
fn scope(association: &Association) -> Option<TokenStream> {
    let Association { target, shape, .. } = association;
    let ShapeInput { scope, filter, order, limit, offset, distinct, include, .. } = shape;
    let mut calls = TokenStream::new();
    let mut with = |name: &str, argument: &dyn ToTokens, at: Span| {
        let at = generated(at);
        let method = Ident::new(name, at);
        calls.extend(quote_spanned!(at=> .#method(#argument)));
    };
    if let Some(filter) = filter {
        with("filter", filter, filter.span());
    }
    if let Some(order) = order {
        with("order_by", order, order.span());
    }
    if let Some(limit) = limit {
        with("limit", &u64::from(*limit), association.span);
    }
    if let Some(offset) = offset {
        with("offset", &u64::from(*offset), association.span);
    }
    if *distinct {
        with("distinct", &TokenStream::new(), association.span);
    }
    if let Some(include) = include {
        with("preload", include, include.span());
    }
    if scope.is_none() && calls.is_empty() {
        return None;
    }
    let at = generated(scope.as_ref().map_or(association.span, Spanned::span));
    let all = quote_spanned!(at=> __assoc::Scope::<#target>::new() #calls);
    Some(match scope {
        Some(path) => quote_spanned!(at=> #path(#all)),
        None => all,
    })
}

// A column of the target. It all stands where the association's author named it, or would have.
fn target_column(association: &Association, token: &Ident) -> TokenStream {
    let target = &association.target;
    let at = generated(token.span());
    let token = Ident::new(&token.to_string(), at);
    quote_spanned!(at=> <#target>::#token)
}

// The second parameter of the holder: `, PostTag`.
fn join_row(association: &Association) -> Option<TokenStream> {
    association.join_row.as_ref().map(|join_row| quote!(, #join_row))
}

// Columns of the join table's model.
fn join_columns(association: &Association, fields: &[String], at: Span) -> Vec<TokenStream> {
    let join_row = &association.join_row;
    let at = generated(at);
    let column = |field: &String| {
        let token = token(field, at);
        quote_spanned!(at=> <#join_row>::#token)
    };
    fields.iter().map(column).collect()
}

/// The association's constant: `User::POSTS`.
pub(super) fn constant(model: &Model, index: usize, association: &Association, checks: &TokenStream) -> TokenStream {
    let Association { vis, name, slot, target, field, deprecated, .. } = association;
    let owner = &model.ident;
    let constant = token(name, generated(field.span()));
    let holder = format_ident!("{}", association.holder.name());
    let join_row = join_row(association);
    let at = generated(slot.span());
    let ty = quote_spanned!(at=> __assoc::Association<#owner, #target, __assoc::#holder<#slot #join_row>>);
    let doc = format!("The association [`{name}`]({0}#structfield.{name}), a `{1}`.", model.name, association.kind);
    quote! {
        #[doc = #doc]
        #deprecated
        #vis const #constant: #ty = {
            #checks
            __assoc::Association::new(&<#owner as __assoc::Model>::DEF.associations[#index])
        };
    }
}

/// Calls that only compile if the types of foreign key and key fit.
pub(super) fn checks(model: &Model, association: &Association) -> TokenStream {
    let owner = &model.ident;
    let target = &association.target;
    let at = generated(association.key_span);
    let own = |index: &usize| {
        let token = token(&model.columns[*index].name, at);
        quote_spanned!(at=> <#owner>::#token)
    };
    let mut checks: TokenStream = match &association.keys {
        Keys::Own { foreign_key, target_key: TargetKey::Primary } => {
            let columns = foreign_key.iter().map(own);
            match foreign_key.len() {
                1 => quote_spanned!(at=> __assoc::check_reference::<#owner, #target, _>(#(#columns),*);),
                width => {
                    let check = Ident::new(&format!("check_reference_{width}"), at);
                    let types = foreign_key.iter().map(|index| &model.columns[*index].ty);
                    quote_spanned!(at=> __assoc::#check::<#owner, #target, #(#types),*>(#(#columns),*);)
                }
            }
        }
        Keys::Own { foreign_key, target_key: TargetKey::Named(tokens) } => foreign_key
            .iter()
            .zip(tokens)
            .map(|(index, token)| {
                let (own, key) = (own(index), target_column(association, token));
                quote_spanned!(at=> __assoc::check_foreign_key(#own, #key);)
            })
            .collect(),
        Keys::Theirs { owner_key, foreign_key, target_type } => {
            let keys = owner_key.iter().zip(foreign_key).map(|(index, token)| {
                let (own, column) = (own(index), target_column(association, token));
                quote_spanned!(at=> __assoc::check_foreign_key(#column, #own);)
            });
            let target_type = target_type.iter().map(|TargetType { column, .. }| {
                let at = generated(column.span());
                let column = target_column(association, column);
                quote_spanned!(at=> __assoc::check_type_column(#column);)
            });
            keys.chain(target_type).collect()
        }
        // For the key there is `key_check`.
        Keys::Polymorphic { foreign_type, type_span, .. } => {
            let at = generated(*type_span);
            let column = token(&model.columns[*foreign_type].name, at);
            quote_spanned!(at=> __assoc::check_type_column(<#owner>::#column);)
        }
        Keys::JoinTable { owner_columns, target_columns, .. } if association.join_row.is_some() => {
            let keys = model.primary_key.iter().map(own).collect::<Vec<_>>();
            let columns = join_columns(association, owner_columns, association.key_span);
            let owner_checks = columns
                .iter()
                .zip(keys)
                .map(|(column, key)| quote_spanned!(at=> __assoc::check_foreign_key(#column, #key);));
            let join_row = &association.join_row;
            let at = generated(association.association_key_span);
            let columns = join_columns(association, target_columns, association.association_key_span);
            let check = match columns.len() {
                1 => Ident::new("check_reference", at),
                width => Ident::new(&format!("check_reference_{width}"), at),
            };
            let types = columns.iter().map(|_| quote_spanned!(at=> _));
            let target_check = quote_spanned!(at=> __assoc::#check::<#join_row, #target, #(#types),*>(#(#columns),*););
            owner_checks.chain([target_check]).collect()
        }
        // The compiler looks where the definition names the two associations, or the function. For the join table there is
        // `key_check`.
        Keys::Through(_) | Keys::JoinTable { .. } | Keys::Finder { .. } => TokenStream::new(),
    };
    if let Some(span) = association.shape.readonly {
        let at = generated(span);
        let target = placed(target.to_token_stream(), at);
        checks.extend(quote_spanned!(at=> __assoc::check_readonly::<#target>();));
    }
    if let Some(Inverse::Named(inverse)) = &association.shape.inverse {
        checks.extend(inverse_check(model, association, &inverse.name, inverse.span));
    }
    checks
}

// The same code, but at another place.
fn placed(code: TokenStream, at: Span) -> TokenStream {
    let one = |token: TokenTree| {
        let mut token = match token {
            TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), placed(group.stream(), at))),
            other => other,
        };
        token.set_span(token.span().located_at(at));
        token
    };
    code.into_iter().map(one).collect()
}

/// Constants that can only be computed if what two structs say of their keys agrees, where types alone do not tell. They
/// stand beside the model's `impl`, because the compiler computes them there whether or not the association is used.
pub(super) fn key_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let target = outside(model, &association.target);
    match &association.keys {
        Keys::JoinTable { .. } => join_check(model, association),
        Keys::Polymorphic { foreign_key, .. } => {
            let at = generated(association.key_span);
            let types = || foreign_key.iter().map(|index| &model.columns[*index].ty);
            let (types, stored) = (types(), types().map(|ty| quote!(<#ty as __assoc::ColumnType>::SQL_TYPE)));
            // Of two types that do not fit, the compiler complains at the first, and that is to be at the key.
            let target = placed(target, at);
            Some(quote_spanned! {at=>
                const _: () = __assoc::check_polymorphic_key::<#target, (#(#types,)*)>(&[#(#stored),*]);
            })
        }
        Keys::Theirs { owner_key, target_type: Some(TargetType { other_side: Some(other_side), .. }), .. } => {
            let owner = &model.ident;
            let at = generated(other_side.span());
            let constant = Ident::new(&other_side.to_string(), at);
            let missing = missing(&format_ident!("__OtherSide"), std::slice::from_ref(&constant));
            let check = quote_spanned! {at=>
                __assoc::check_other_side::<#owner, _>(|| <#target>::#constant, &[#(#owner_key),*]);
            };
            Some(quote! {
                const _: () = {
                    #missing
                    #check
                };
            })
        }
        _ => None,
    }
}

// A target's type outside of the model's `impl`, where `Self` is nothing.
fn outside(model: &Model, target: &Type) -> TokenStream {
    match target {
        Type::Path(path) if path.path.is_ident("Self") => model.ident.to_token_stream(),
        target => target.to_token_stream(),
    }
}

// A constant that can only be computed if the join table has as many columns as the target's key; with a model of its
// rows, if the table that is named is that model's.
fn join_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let Keys::JoinTable { table, target_columns, .. } = &association.keys else { return None };
    if let Some(join_row) = &association.join_row {
        let (schema, name) = table.as_ref()?;
        let at = generated(association.join_table_span?);
        let schema = match schema {
            Some(schema) => quote!(__assoc::Option::Some(#schema)),
            None => quote!(__assoc::Option::None),
        };
        return Some(quote_spanned! {at=>
            const _: () = __assoc::check_join_table::<#join_row>(__assoc::TableRef { schema: #schema, name: #name });
        });
    }
    let width = target_columns.len();
    let at = generated(association.association_key_span);
    let target = outside(model, &association.target);
    Some(quote_spanned!(at=> const _: () = __assoc::check_join_columns::<#target>(#width);))
}

// In a function that nobody calls: the inverse's constant is checked likewise, and two constants cannot be computed
// from each other.
fn inverse_check(model: &Model, association: &Association, inverse: &str, span: Span) -> TokenStream {
    let (owner, target) = (&model.ident, &association.target);
    let at = generated(span);
    let constant = token(inverse, at);
    let check = match &association.keys {
        Keys::Theirs { target_type: Some(_), .. } => "check_polymorphic_inverse",
        _ => "check_inverse",
    };
    let check = Ident::new(check, at);
    let missing = missing(&format_ident!("__Inverse"), std::slice::from_ref(&constant));
    let check = quote_spanned!(at=> __assoc::#check::<#owner, _>(<#target>::#constant));
    quote! {
        let _: fn() = || {
            #missing
            #check
        };
    }
}

/// The association's accessor: `user.posts()`. Nothing if the application has its own.
pub(super) fn accessor(model: &Model, association: &Association) -> TokenStream {
    if association.own_accessor {
        return TokenStream::new();
    }
    let Association { vis, name, field, slot, target, deprecated, .. } = association;
    let model_name = &model.name;
    let holder = format_ident!("{}", association.holder.name());
    let read = match association.holder {
        Holder::HasMany => quote!(&[#target]),
        Holder::HasManyThrough | Holder::HasAndBelongsToMany => quote!(&[__assoc::Arc<#target>]),
        Holder::BelongsTo | Holder::HasOne => {
            quote_spanned!(generated(slot.span())=> <#slot as __assoc::ToOne>::Read<'_>)
        }
    };
    let get = quote_spanned!(generated(slot.span())=> __assoc::#holder::get);
    let not_loaded = match association.keys {
        Keys::Polymorphic { foreign_type, .. } if association.leaves_unknown => quote! {
            __assoc::polymorphic_not_loaded::<Self, #target>(self, #name, #foreign_type, __reason)
        },
        _ => quote!(__assoc::AssociationNotLoaded::new(#model_name, #name, __reason)),
    };
    let doc = format!("What is loaded of [`{name}`]({model_name}#structfield.{name}). Never queries.");
    let with_join_rows = association.join_row.as_ref().map(|join_row| {
        let method = Ident::new(&format!("{name}_with_join_rows"), field.span());
        let doc = format!(
            "What is loaded of [`{name}`]({model_name}#structfield.{name}), each with its row of the join table. Never \
             queries."
        );
        let get = quote_spanned!(generated(slot.span())=> __assoc::#holder::get_with_join_rows);
        quote! {
            #[doc = #doc]
            ///
            /// # Errors
            /// When nothing asked for it.
            #deprecated
            #vis fn #method(
                &self,
            ) -> __assoc::StdResult<__assoc::WithJoinRows<'_, #target, #join_row>, __assoc::AssociationNotLoaded> {
                __assoc::StdResult::map_err(#get(&self.#field), |__reason| {
                    __assoc::AssociationNotLoaded::new(#model_name, #name, __reason)
                })
            }
        }
    });
    quote! {
        #[doc = #doc]
        ///
        /// # Errors
        /// When nothing asked for it, or when a row that must exist does not.
        #deprecated
        #vis fn #field(&self) -> __assoc::StdResult<#read, __assoc::AssociationNotLoaded> {
            __assoc::StdResult::map_err(#get(&self.#field), |__reason| {
                #not_loaded
            })
        }
        #with_join_rows
    }
}
