//! `impl Model`: the definition as a constant, reading and writing of columns.

use std::collections::HashSet;

use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    Root, aggregated, association, callbacks, called, checks, diesel, function, generated, in_anonymous_constant,
    row_traits, serial,
};
use crate::names::token;
use crate::parse::{FilledInput, Precision};
use crate::validate::{Column, Default, Discriminator, Model};

use proc_macro2::Ident;
use proc_macro2::TokenStream;

/// What keeps the compiler from complaining about everything that uses a model in which there are mistakes: all its
/// names, with nothing behind them.
pub(crate) fn stand_in(model: &Model, root: Root) -> TokenStream {
    let root = root.path(model.root.as_ref());
    let Model { ident, name, table, .. } = model;
    let key = key_type(model);
    let mut seen = HashSet::new();
    let columns = model.columns.iter().filter(|column| seen.insert(column.name.to_uppercase()));
    let columns: Vec<_> = columns.enumerate().map(|(index, column)| constant(model, index, column)).collect();
    let associations = model.associations.iter().filter(|association| seen.insert(association.name.to_uppercase()));
    let associations: Vec<_> = associations
        .map(|association| {
            let constant = association::constant(model, 0, association, &TokenStream::new());
            let accessor = association::accessor(model, association);
            quote!(#constant #accessor)
        })
        .collect();
    let aggregated = model.aggregated.iter().filter(|field| seen.insert(field.name.to_uppercase()));
    let aggregated: Vec<_> = aggregated.map(|field| aggregated::field(model, field)).collect();
    let has_origin = origin(model).1;
    let row_traits = row_traits(ident);
    let callbacks = callbacks::of_model(model);
    let items = quote! {
        #has_origin

        #[automatically_derived]
        impl __assoc::Model for #ident {
            #key

            const DEF: &'static __assoc::ModelDef = &__assoc::ModelDef::new(
                #name,
                __assoc::TableRef { schema: __assoc::Option::None, name: #table },
                &[],
                &[],
                &[],
                &__assoc::RowsOf::<#ident>::new(),
            )
            #callbacks;

            const COLUMNS: &'static [__assoc::ColumnDef] = &[];

            const PRIMARY_KEY: &'static [usize] = &[];

            #row_traits

            fn definition() -> &'static __assoc::ModelDef {
                <Self as __assoc::Model>::DEF
            }

            fn from_values(_: &mut [__assoc::Value<'_>]) -> __assoc::Result<Self> {
                loop {}
            }

            fn value(&self, _: usize) -> __assoc::Value<'_> {
                loop {}
            }

            fn set_value(&mut self, _: usize, _: &mut __assoc::Value<'_>) -> __assoc::Result<()> {
                loop {}
            }

            fn bare(&self) -> Self {
                loop {}
            }

            fn key(&self) -> Self::Key {
                loop {}
            }
        }

        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            #(#columns)*
            #(#associations)*
            #(#aggregated)*
        }
    };
    in_anonymous_constant(&root, &items)
}

/// All code of a model.
pub(crate) fn model(model: &Model, root: Root) -> TokenStream {
    let root = root.path(model.root.as_ref());
    let implementation = implementation(model);
    let constants = model.columns.iter().enumerate().map(|(index, column)| constant(model, index, column));
    let associations = model.associations.iter().enumerate();
    let associations = associations.map(|(index, association)| {
        let checks = checks::checks(model, association);
        association::constant(model, index, association, &checks)
    });
    let accessors = model.associations.iter().map(|association| association::accessor(model, association));
    let ident = &model.ident;
    let checks = model.discriminator.iter().map(|discriminator| {
        let at = generated(discriminator.span);
        let column = token(&model.columns[discriminator.column].name, at);
        quote_spanned!(at=> const _: () = __assoc::check_type_column(<#ident>::#column);)
    });
    let key_checks = model.associations.iter().filter_map(|association| checks::key_check(model, association));
    let comparisons = diesel::comparisons(model);
    let serial = serial::implementations(model);
    let aggregated = model.aggregated.iter().map(|field| aggregated::field(model, field));
    // A private field's constant and accessor need not be used.
    let items = quote! {
        #implementation

        #(#checks)*
        #(#key_checks)*
        #comparisons
        #serial

        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            #(#constants)*
            #(#associations)*
            #(#accessors)*
            #(#aggregated)*
        }
    };
    in_anonymous_constant(&root, &items)
}

fn implementation(model: &Model) -> TokenStream {
    let Model { ident, primary_key, .. } = model;
    let key = key_type(model);
    let columns = model.columns.iter().map(column_def);
    let definition = definition(model);
    let from_values = from_values(model);
    let value = value(model);
    let set_value = set_value(model);
    let bare = bare(model);
    let key_value = key_value(model);
    let (origin, has_origin) = origin(model);
    let row_traits = row_traits(ident);
    quote! {
        #[automatically_derived]
        impl __assoc::Model for #ident {
            #key

            const DEF: &'static __assoc::ModelDef = #definition;

            const COLUMNS: &'static [__assoc::ColumnDef] = &[#(#columns),*];

            const PRIMARY_KEY: &'static [usize] = &[#(#primary_key),*];

            #row_traits

            fn definition() -> &'static __assoc::ModelDef {
                <Self as __assoc::Model>::DEF
            }

            #from_values
            #value
            #set_value
            #bare
            #key_value
            #origin
        }

        #has_origin
    }
}

// Where rows came from, if there is a field for it.
fn origin(model: &Model) -> (Option<TokenStream>, Option<TokenStream>) {
    let Some(field) = &model.origin else { return (None, None) };
    let ident = &model.ident;
    let methods = quote! {
        fn row_origin(&self) -> __assoc::Option<&__assoc::RowOrigin> {
            __assoc::Option::Some(&self.#field)
        }

        fn row_origin_mut(&mut self) -> __assoc::Option<&mut __assoc::RowOrigin> {
            __assoc::Option::Some(&mut self.#field)
        }
    };
    let marker = quote! {
        #[automatically_derived]
        impl __assoc::HasRowOrigin for #ident {}

        #[automatically_derived]
        impl<__X> __assoc::ReadonlyTarget<__X> for #ident {}
    };
    (Some(methods), Some(marker))
}

fn definition(model: &Model) -> TokenStream {
    let Model { ident, name, table, .. } = model;
    let schema = match &model.schema {
        Some(schema) => quote!(__assoc::Option::Some(#schema)),
        None => quote!(__assoc::Option::None),
    };
    let associations = model.associations.iter().map(|association| association::definition(model, association));
    let default_scope = model.default_scope.iter().map(|path| {
        let at = generated(path.span());
        let signature = quote_spanned!(at=> fn(__assoc::Scope<#ident>) -> __assoc::Scope<#ident>);
        let call = called(path, &signature, &quote!(__assoc::Scope::new()));
        let body = quote!(__assoc::Scope::into_def(#call));
        let scope = function(ident, &quote!(() -> __assoc::ScopeDef), &body);
        quote!(.with_default_scope(#scope))
    });
    let rules = model.rules.iter().map(|path| {
        let at = generated(path.span());
        let signature = quote_spanned!(at=> fn(__assoc::Rules<#ident>) -> __assoc::Rules<#ident>);
        let call = called(path, &signature, &quote!(__assoc::Rules::new()));
        let make = function(ident, &quote!(() -> __assoc::RuleSet), &quote!(__assoc::Rules::into_set(#call)));
        let body = quote! {
            static __RULES: __assoc::OnceLock<__assoc::RuleSet> = __assoc::OnceLock::new();
            __assoc::rule_set(&__RULES, #make)
        };
        let rules = function(ident, &quote!(() -> &'static __assoc::RuleSet), &body);
        quote!(.with_rules(#rules))
    });
    let discriminator =
        model.discriminator.iter().map(|Discriminator { column, tag, .. }| quote!(.with_discriminator(#column, #tag)));
    let read_back = model.read_back.then(|| quote!(.with_read_back()));
    let callbacks = callbacks::of_model(model);
    quote! {
        &__assoc::ModelDef::new(
            #name,
            __assoc::TableRef { schema: #schema, name: #table },
            <#ident as __assoc::Model>::COLUMNS,
            <#ident as __assoc::Model>::PRIMARY_KEY,
            &[#(#associations),*],
            &__assoc::RowsOf::<#ident>::new(),
        )
        #(#default_scope)*
        #(#rules)*
        #(#discriminator)*
        #read_back
        #callbacks
    }
}

fn column_def(column: &Column) -> TokenStream {
    let Column { name, column: stored, ty, .. } = column;
    // At the field's type, so that the compiler's complaint about a type that is no column is there too.
    let at = generated(ty.span());
    let sql_type = quote_spanned!(at=> <#ty as __assoc::ColumnType>::SQL_TYPE);
    let nullable = quote_spanned!(at=> <#ty as __assoc::ColumnType>::NULLABLE);
    let default = match &column.default {
        Default::None => TokenStream::new(),
        Default::Key => {
            let default = quote_spanned!(at=> __assoc::key_default::<#ty>());
            quote!(.with_default(#default))
        }
        Default::Database => quote!(.with_default(__assoc::ColumnDefault::Database)),
        Default::Sql(sql) => quote!(.with_default(__assoc::ColumnDefault::Sql(#sql))),
        Default::Generated(expression) => {
            let expression = match expression {
                Some(sql) => quote!(__assoc::Option::Some(#sql)),
                None => quote!(__assoc::Option::None),
            };
            quote!(.with_default(__assoc::ColumnDefault::Generated(#expression)))
        }
        Default::Filled(filled, span) => {
            // At the option, because it is the option that a wrong type does not fit.
            let at = generated(*span);
            let filled = match filled {
                FilledInput::CreatedAt => quote_spanned!(at=> __assoc::created_at::<#ty>()),
                FilledInput::UpdatedAt => quote_spanned!(at=> __assoc::updated_at::<#ty>()),
                FilledInput::LockVersion => quote_spanned!(at=> __assoc::lock_version::<#ty>()),
                FilledInput::CounterCache => quote_spanned!(at=> __assoc::counter_cache::<#ty>()),
                FilledInput::With(function) => {
                    let at = generated(function.span());
                    let call = called(function, &quote_spanned!(at=> fn() -> _), &TokenStream::new());
                    quote_spanned!(at=> {
                        fn __make() -> __assoc::Value<'static> {
                            __assoc::made::<#ty, _>(#call)
                        }
                        __assoc::ColumnDefault::Filled(__assoc::FilledBy::Function(__make))
                    })
                }
            };
            quote!(.with_default(#filled))
        }
    };
    let length = column.length.map(|length| quote!(.with_length(#length)));
    let precision = column.precision.as_ref().map(|Precision { precision, scale, span }| {
        let checked = quote_spanned!(generated(*span)=> __assoc::decimal_precision::<#ty>(#precision));
        quote!(.with_precision(#checked, #scale))
    });
    let read_back = column.read_back.then(|| quote!(.with_read_back()));
    quote!(__assoc::ColumnDef::new(#stored, #name, #sql_type, #nullable) #default #length #precision #read_back)
}

// Fields that are not columns, in their empty state.
fn empty_fields(model: &Model) -> impl Iterator<Item = TokenStream> {
    let associations = model.associations.iter().map(|association| &association.field);
    let aggregated = model.aggregated.iter().map(|aggregated| &aggregated.field);
    associations.chain(&model.origin).chain(aggregated).map(|field| quote!(#field: __assoc::Default::default()))
}

fn from_values(model: &Model) -> TokenStream {
    let Model { ident, name, skipped, .. } = model;
    let bindings: Vec<Ident> = (0..model.columns.len()).map(|index| format_ident!("__{index}")).collect();
    let columns = model.columns.iter().zip(&bindings).map(|(column, binding)| {
        let Column { field, ty, column: stored, .. } = column;
        let at = generated(ty.span());
        // The trait by name, not as the bound of a function: then the compiler has the same to say here as in the
        // definition about a type that is no column, and says it once.
        let read = quote_spanned!(at=> <#ty as __assoc::ColumnType>::from_value);
        quote!(#field: __assoc::column_of(#read(#binding), #name, #stored)?)
    });
    let empty = empty_fields(model);
    let width = model.columns.len();
    quote! {
        fn from_values(__values: &mut [__assoc::Value<'_>]) -> __assoc::Result<Self> {
            let [#(#bindings),*] = __values else {
                return __assoc::StdResult::Err(__assoc::row_width(#name, #width, __values.len()));
            };
            __assoc::StdResult::Ok(#ident {
                #(#columns,)*
                #(#empty,)*
                #(#skipped: __assoc::Default::default(),)*
            })
        }
    }
}

fn value(model: &Model) -> TokenStream {
    let arms = model.columns.iter().enumerate().map(|(index, column)| {
        let Column { field, ty, .. } = column;
        let at = generated(ty.span());
        let to_value = quote_spanned!(at=> <#ty as __assoc::ColumnType>::to_value);
        quote!(#index => #to_value(&self.#field))
    });
    quote! {
        fn value(&self, __column: usize) -> __assoc::Value<'_> {
            match __column {
                #(#arms,)*
                _ => __assoc::Value::Null,
            }
        }
    }
}

fn set_value(model: &Model) -> TokenStream {
    let Model { name, .. } = model;
    let arms = model.columns.iter().enumerate().map(|(index, column)| {
        let Column { field, ty, column: stored, .. } = column;
        let at = generated(ty.span());
        let read = quote_spanned!(at=> <#ty as __assoc::ColumnType>::from_value);
        quote!(#index => self.#field = __assoc::column_of(#read(__value), #name, #stored)?)
    });
    quote! {
        fn set_value(&mut self, __column: usize, __value: &mut __assoc::Value<'_>) -> __assoc::Result<()> {
            match __column {
                #(#arms,)*
                _ => {}
            }
            __assoc::StdResult::Ok(())
        }
    }
}

fn bare(model: &Model) -> TokenStream {
    let Model { ident, skipped, .. } = model;
    let stored = model.columns.iter().map(|column| &column.field);
    let empty = empty_fields(model);
    quote! {
        fn bare(&self) -> Self {
            #ident {
                #(#stored: __assoc::Clone::clone(&self.#stored),)*
                #(#empty,)*
                #(#skipped: __assoc::Clone::clone(&self.#skipped),)*
            }
        }
    }
}

fn key_type(model: &Model) -> TokenStream {
    let types = model.primary_key.iter().map(|index| &model.columns[*index].ty);
    let ty = match model.primary_key.len() {
        1 => quote!(#(#types)*),
        _ => quote!((#(#types),*)),
    };
    // At the key's field: a type that is less visible than the struct is reported here.
    let at = model.primary_key.first().map_or(model.ident.span(), |index| model.columns[*index].ty.span());
    quote_spanned!(generated(at)=> type Key = #ty;)
}

fn key_value(model: &Model) -> TokenStream {
    if model.primary_key.is_empty() {
        return quote!(
            fn key(&self) -> Self::Key {}
        );
    }
    let fields = model.primary_key.iter().map(|index| &model.columns[*index].field);
    let values = fields.map(|field| quote!(__assoc::Clone::clone(&self.#field)));
    let key = match model.primary_key.len() {
        1 => quote!(#(#values)*),
        _ => quote!((#(#values),*)),
    };
    quote!(fn key(&self) -> Self::Key { #key })
}

fn constant(model: &Model, index: usize, column: &Column) -> TokenStream {
    let Column { field, vis, ty, name, column: stored, .. } = column;
    let ident = &model.ident;
    let constant = token(name, generated(field.span()));
    let doc = format!("The column of [`{name}`]({}#structfield.{name}).", model.name);
    quote! {
        #[doc = #doc]
        #vis const #constant: __assoc::Column<#ident, #ty> = __assoc::Column::new(#index, #stored);
    }
}
