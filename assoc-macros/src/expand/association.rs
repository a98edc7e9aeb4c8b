//! An association: its definition, its constant, its accessor.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::{function, generated};
use crate::attributes::Inverse;
use crate::{dependent, follow};
use crate::names::{plural, token};
use crate::options::Holder;
use crate::parse::ScopeInput;
use crate::validate::{Association, Keys, Model, TargetKey, TargetType, Through};

/// The `AssociationDef`.
pub(super) fn definition(model: &Model, association: &Association) -> TokenStream {
    let Association { name, field, slot, target, .. } = association;
    let plural = plural(name);
    let owner = &model.ident;
    // At the target's name: what is wrong with it is said there.
    let at = generated(slot.span());
    let kind = kind(model, association);
    let holder = format_ident!("{}", association.holder.name());
    let options = options(model, association);
    let target = match association.keys {
        Keys::Polymorphic { .. } => {
            let variants = quote_spanned!(at=> <#target as __assoc::Polymorphic>::VARIANTS);
            function(owner, &quote!(() -> &'static __assoc::ModelDef), &quote!(__assoc::first_variant(#variants)))
        }
        _ => quote_spanned!(at=> <#target as __assoc::Model>::definition),
    };
    let join_row = join_row(association);
    let stored = quote_spanned! {at=>
        &__assoc::FieldAccessor::<#owner, __assoc::#holder<#slot #join_row>>::new(
            |__owner| &__owner.#field,
            |__owner| &mut __owner.#field,
        )
    };
    quote! {
        __assoc::AssociationDef::new(
            #name,
            #plural,
            <#owner as __assoc::Model>::definition,
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
        Keys::CustomSql { find, count } => {
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
                &__assoc::CustomSqlKind {
                    custom_sql: __assoc::CustomSql { find: #find, count: #count },
                    declared_as: __assoc::AssociationKind::#declared_as,
                }
            }
        }
        Keys::JoinTable { owner_columns, target_columns, .. } if association.join_row.is_some() => {
            let join_row = &association.join_row;
            let table = quote_spanned!(generated(join_row.span())=> <#join_row as __assoc::Model>::definition);
            let owner_columns = join_columns(association, owner_columns, association.key_span);
            let target_columns = join_columns(association, target_columns, association.association_key_span);
            let target_key = primary_key();
            quote! {
                &__assoc::HasAndBelongsToManyKind {
                    join_table: #table,
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
            // The two models outside of the closure: it is used by a generic function, which the compiler counts.
            let made = quote! {
                static __TABLE: __assoc::OnceLock<__assoc::ModelDef> = __assoc::OnceLock::new();
                let __owner: fn() -> &'static __assoc::ModelDef = <#owner as __assoc::Model>::definition;
                let __target: fn() -> &'static __assoc::ModelDef = <#target as __assoc::Model>::definition;
                __TABLE.get_or_init(|| {
                    __assoc::join_table_def(
                        __owner(),
                        __target(),
                        #table,
                        &[#(#owner_columns),*],
                        &[#(#target_columns),*],
                    )
                })
            };
            let join_table = function(owner, &quote!(() -> &'static __assoc::ModelDef), &made);
            quote! {
                &__assoc::HasAndBelongsToManyKind {
                    join_table: #join_table,
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
    let body = quote! {
        match __owner.downcast_ref::<#owner>() {
            __assoc::Option::Some(__owner) => #call,
            __assoc::Option::None => __assoc::Default::default(),
        }
    };
    function(owner, &quote!((__owner: &dyn __assoc::Any) -> __assoc::RawSql), &body)
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
    let signature = quote!(() -> &'static __assoc::AssociationDef);
    let by = function(owner, &signature, &by);
    let source = function(owner, &signature, &quote!(#otherwise #source));
    quote! {
        &__assoc::ThroughKind {
            through: #by,
            source: #source,
            source_type: #source_type,
            one: #one,
        }
    }
}

// Constants for models that do not have them.
pub(super) fn missing(name: &Ident, constants: &[Ident]) -> TokenStream {
    quote! {
        #[allow(dead_code)]
        trait #name {
            #(const #constants: __assoc::Missing = __assoc::Missing;)*
        }
        impl<__T> #name for __T {}
    }
}

fn options(model: &Model, association: &Association) -> TokenStream {
    let Association { slot, target, scope_def, .. } = association;
    let mut options = TokenStream::new();
    if association.holder.is_to_one() {
        options.extend(quote_spanned!(generated(slot.span())=> .optional(<#slot as __assoc::ToOne>::OPTIONAL)));
    }
    if let Some(scope) = scope(association) {
        let body = quote!(__assoc::Scope::into_def(#scope));
        let scope = function(&model.ident, &quote!(() -> __assoc::ScopeDef), &body);
        options.extend(quote!(.scope(#scope)));
    }
    if let Some(path) = &scope_def.owner_scope {
        let owner = &model.ident;
        let at = generated(path.span());
        let call = quote_spanned!(at=> #path(__owner, __assoc::Scope::<#target>::new()));
        let body = quote! {
            match __owner.downcast_ref::<#owner>() {
                __assoc::Option::Some(__owner) => __assoc::Scope::into_def(#call),
                __assoc::Option::None => __assoc::Default::default(),
            }
        };
        let scope = function(owner, &quote!((__owner: &dyn __assoc::Any) -> __assoc::ScopeDef), &body);
        options.extend(quote!(.owner_scope(#scope)));
    }
    if let Some(dependent) = &association.dependent {
        let rule = dependent::tokens(dependent.rule);
        options.extend(quote!(.dependent(#rule)));
    }
    options.extend(follow::options(model, association));
    if association.leaves_unknown {
        options.extend(quote!(.unknown_type(__assoc::UnknownType::NotLoaded)));
    }
    if scope_def.readonly.is_some() {
        options.extend(quote!(.readonly()));
    }
    if let Some(autosave) = scope_def.autosave {
        options.extend(quote!(.autosave(#autosave)));
    }
    if let Some(validate) = scope_def.validate {
        options.extend(quote!(.validate(#validate)));
    }
    match &scope_def.inverse {
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
    let Association { target, scope_def, .. } = association;
    let ScopeInput { scope, filter, order, limit, offset, distinct, include, .. } = scope_def;
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
pub(super) fn target_column(association: &Association, token: &Ident) -> TokenStream {
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
pub(super) fn join_columns(association: &Association, fields: &[String], at: Span) -> Vec<TokenStream> {
    let join_row = &association.join_row;
    let at = generated(at);
    let column = |field: &String| {
        let token = token(field, at);
        quote_spanned!(at=> <#join_row>::#token)
    };
    fields.iter().map(column).collect()
}

// The constant that says what an association is as a part of one through others.
fn part_of_through(token: &Ident, at: Span) -> Ident {
    format_ident!("__{}_PART", token, span = at)
}

/// The type of the association's constant.
pub(super) fn token_type(model: &Model, association: &Association) -> TokenStream {
    let Association { slot, target, .. } = association;
    let owner = &model.ident;
    let holder = format_ident!("{}", association.holder.name());
    let join_row = join_row(association);
    let at = generated(slot.span());
    let mut held = quote_spanned!(at=> __assoc::#holder<#slot #join_row>);
    if let Keys::Through(through) = &association.keys {
        // Whether members can be written is for the compiler to find out: it knows what the two parts are.
        let Through { through: by, middle, sources, .. } = &**through;
        let at = generated(by.span());
        let by = part_of_through(by, at);
        let sources: Vec<Ident> = sources.iter().map(|source| part_of_through(source, at)).collect();
        let mut names: Vec<&Ident> = std::iter::once(&by).chain(&sources).collect();
        names.sort();
        names.dedup();
        let one = association.holder.is_to_one();
        let source = quote_spanned!(at=> #(<#middle>::#sources,)*);
        let otherwise = match sources.len() {
            1 => quote_spanned!(at=> __assoc::PartOfThrough::Missing),
            _ => TokenStream::new(),
        };
        // What does not exist is said where the association is defined.
        held = quote_spanned! {at=>
            __assoc::Through<#held, {
                #[allow(dead_code)]
                trait __Parts {
                    #(const #names: __assoc::PartOfThrough = __assoc::PartOfThrough::Missing;)*
                }
                impl<__T> __Parts for __T {}
                __assoc::writes_links(#one, <#owner>::#by, #source #otherwise)
            }>
        };
    }
    quote_spanned!(at=> __assoc::Association<#owner, #target, #held>)
}

/// The association's constant: `User::POSTS`.
pub(super) fn constant(model: &Model, index: usize, association: &Association, checks: &TokenStream) -> TokenStream {
    let Association { vis, name, field, deprecated, .. } = association;
    let owner = &model.ident;
    let constant = token(name, generated(field.span()));
    let ty = token_type(model, association);
    let part = part_of_through(&constant, generated(field.span()));
    let place = match (association.holder, &association.keys) {
        (_, Keys::Through(_)) | (Holder::HasManyThrough | Holder::HasAndBelongsToMany, _) => quote!(Elsewhere),
        (Holder::BelongsTo, _) => quote!(KeyInOwner),
        (Holder::HasOne, _) => quote!(KeyInOne),
        (Holder::HasMany, _) => quote!(KeyInMany),
    };
    let doc = format!("The association [`{name}`]({0}#structfield.{name}), a `{1}`.", model.name, association.kind);
    quote! {
        #[doc = #doc]
        #deprecated
        #vis const #constant: #ty = {
            #checks
            __assoc::Association::new(&<#owner as __assoc::Model>::DEF.associations[#index])
        };

        #[doc(hidden)]
        #[allow(dead_code)]
        #vis const #part: __assoc::PartOfThrough = __assoc::PartOfThrough::#place;
    }
}

/// The association's accessor: `user.posts()`. There is none if the program writes it.
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
    let doc = format!("Reads the loaded association [`{name}`]({model_name}#structfield.{name}). Runs no statement.");
    let with_join_rows = association.join_row.as_ref().map(|join_row| {
        let method = Ident::new(&format!("{name}_with_join_rows"), field.span());
        let doc = format!(
            "Reads the loaded association [`{name}`]({model_name}#structfield.{name}), each target with its row of the join \
             table. Runs no statement."
        );
        let get = quote_spanned!(generated(slot.span())=> __assoc::#holder::get_with_join_rows);
        quote! {
            #[doc = #doc]
            ///
            /// # Errors
            /// When it is not loaded.
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
        /// When it is not loaded, or when a row that must exist does not.
        #deprecated
        #vis fn #field(&self) -> __assoc::StdResult<#read, __assoc::AssociationNotLoaded> {
            __assoc::StdResult::map_err(#get(&self.#field), |__reason| {
                #not_loaded
            })
        }
        #with_join_rows
    }
}
