//! An association: its definition, its constant, its accessor.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::{callbacks, called, function, generated};
use crate::attributes::Inverse;
use crate::holder::Holder;
use crate::kinds::Through;
use crate::names::{plural, token};
use crate::parse::ScopeInput;
use crate::validate::{Association, Model};
use crate::{dependent, follow};

/// The `AssociationDef`.
pub(super) fn definition(model: &Model, association: &Association) -> TokenStream {
    let Association { name, field, slot, .. } = association;
    let plural = plural(name);
    let owner = &model.ident;
    // At the target's name: what is wrong with it is said there.
    let at = generated(slot.span());
    let kind = association.keys.behavior(model, association);
    let holder = format_ident!("{}", association.holder.name());
    let options = options(model, association);
    let target = association.keys.target_definition(model, association);
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

/// Constants for models that do not have them.
pub(crate) fn missing(name: &Ident, constants: &[Ident]) -> TokenStream {
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
        let signature = quote_spanned!(at=> fn(&#owner, __assoc::Scope<#target>) -> __assoc::Scope<#target>);
        let call = called(path, &signature, &quote!(__owner, __assoc::Scope::new()));
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
    options.extend(callbacks::of_members(model, association));
    options.extend(link_sql(model, association));
    if association.leaves_unknown {
        options.extend(quote!(.unknown_type(__assoc::UnknownType::NotLoaded)));
    }
    if scope_def.readonly.is_some() {
        options.extend(quote!(.readonly()));
    }
    options.extend(association.plain.iter().cloned());
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

// Functions of owner and target that give SQL.
fn link_sql(model: &Model, association: &Association) -> TokenStream {
    let (owner, target) = (&model.ident, &association.target);
    let of = |path: &Path| {
        let signature = quote_spanned!(generated(path.span())=> fn(&#owner, &#target) -> __assoc::RawSql);
        let call = called(path, &signature, &quote!(__owner, __target));
        let body = quote! {
            match (__owner.downcast_ref::<#owner>(), __target.downcast_ref::<#target>()) {
                (__assoc::Option::Some(__owner), __assoc::Option::Some(__target)) => #call,
                _ => __assoc::Default::default(),
            }
        };
        function(owner, &quote!((__owner: &dyn __assoc::Any, __target: &dyn __assoc::Any) -> __assoc::RawSql), &body)
    };
    let insert = association.link_sql.insert.as_ref().map(of).map(|function| quote!(.insert_sql(#function)));
    let delete = association.link_sql.delete.as_ref().map(of).map(|function| quote!(.delete_sql(#function)));
    quote!(#insert #delete)
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
        Some(path) => {
            let signature = quote_spanned!(at=> fn(__assoc::Scope<#target>) -> __assoc::Scope<#target>);
            called(path, &signature, &all)
        }
        None => all,
    })
}

/// The target's primary key.
pub(crate) fn target_key(association: &Association) -> TokenStream {
    let target = &association.target;
    quote_spanned!(generated(target.span())=> <#target as __assoc::Model>::PRIMARY_KEY)
}

/// Columns of the target.
pub(crate) fn target_columns(association: &Association, tokens: &[Ident]) -> TokenStream {
    let columns = tokens.iter().map(|token| target_column(association, token));
    quote!(&[#(#columns.index()),*])
}

/// A column of the model.
pub(crate) fn own_column(model: &Model, index: usize, at: Span) -> TokenStream {
    let owner = &model.ident;
    let token = token(&model.columns[index].name, at);
    quote_spanned!(at=> <#owner>::#token)
}

/// A column of the target. It all stands where the association's author named it, or would have.
pub(crate) fn target_column(association: &Association, token: &Ident) -> TokenStream {
    let target = &association.target;
    let at = generated(token.span());
    let token = Ident::new(&token.to_string(), at);
    quote_spanned!(at=> <#target>::#token)
}

// The second parameter of the holder: `, PostTag`.
fn join_row(association: &Association) -> Option<TokenStream> {
    association.join_row.as_ref().map(|join_row| quote!(, #join_row))
}

/// Columns of the join table's model.
pub(crate) fn join_columns(association: &Association, fields: &[String], at: Span) -> Vec<TokenStream> {
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

/// The constant that says which columns a `belongs_to` refers by.
pub(crate) fn foreign_key_of(token: &Ident, at: Span) -> Ident {
    format_ident!("__{}_FOREIGN_KEY", token, span = at)
}

/// The type of the association's constant.
pub(super) fn token_type(model: &Model, association: &Association) -> TokenStream {
    let Association { slot, target, .. } = association;
    let owner = &model.ident;
    let holder = format_ident!("{}", association.holder.name());
    let join_row = join_row(association);
    let at = generated(slot.span());
    let mut held = quote_spanned!(at=> __assoc::#holder<#slot #join_row>);
    if let Some(through) = association.keys.through() {
        // Whether members can be written is for the compiler to find out: it knows what the two parts are.
        let Through { through: by, middle, sources, .. } = through;
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
    let place = match association.holder {
        _ if association.keys.through().is_some() => quote!(Elsewhere),
        Holder::HasManyThrough | Holder::HasAndBelongsToMany => quote!(Elsewhere),
        Holder::BelongsTo => quote!(KeyInOwner),
        Holder::HasOne => quote!(KeyInOne),
        Holder::HasMany => quote!(KeyInMany),
    };
    let foreign_key = association.keys.foreign_key_constant(model, association);
    let through = association.keys.through().map(|parts| format!(" through `{}`", parts.name)).unwrap_or_default();
    let (owner_name, kind) = (&model.name, association.kind);
    let doc = format!("The association [`{name}`]({owner_name}#structfield.{name}), a `{kind}`{through}.");
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

        #foreign_key
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
    let not_loaded = match association.keys.type_column() {
        Some(foreign_type) if association.leaves_unknown => quote! {
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
            ) -> ::core::result::Result<__assoc::WithJoinRows<'_, #target, #join_row>, __assoc::AssociationNotLoaded> {
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
        #vis fn #field(&self) -> ::core::result::Result<#read, __assoc::AssociationNotLoaded> {
            __assoc::StdResult::map_err(#get(&self.#field), |__reason| {
                #not_loaded
            })
        }
        #with_join_rows
    }
}
