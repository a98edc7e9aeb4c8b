//! `finder_sql`: a statement of the program says which rows there are.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::{Keys, Kind};
use crate::errors::Errors;
use crate::expand::{called, function, generated};
use crate::parse::AssociationInput;
use crate::validate::{Association, Model};

struct CustomSql {
    find: Path,
    count: Option<Path>,
}

/// Checks the options.
pub(super) fn keys(input: &AssociationInput, errors: &mut Errors) -> Option<Box<dyn Keys>> {
    let why = "has no place beside `finder_sql`: the SQL says which rows an owner has, by whatever key";
    let ways = [
        "foreign_key",
        "primary_key",
        "through",
        "source",
        "source_type",
        "as",
        "foreign_type",
        "tag",
        "join_table",
        "association_foreign_key",
    ];
    input.refuse(&ways, why, errors);
    if input.kind == Kind::HasAndBelongsToMany {
        input.refuse(&["distinct"], "has no place beside `finder_sql`: say `DISTINCT` in the SQL", errors);
        if let Some(join_row) = &input.field.join_row {
            let message = "with `finder_sql` no row of a join table stands beside a target: name the target alone";
            errors.on(join_row, message);
        }
    }
    let why = "has no place beside `finder_sql`: no key says who is a member, so nothing is linked";
    input.refuse(&["insert_sql", "delete_sql"], why, errors);
    let why = "has no place beside `finder_sql`, whose function has the owner";
    input.refuse(&["scope_by_owner"], why, errors);
    let why = "has no place beside `finder_sql`: nothing says that its rows lead back to the owner";
    input.refuse(&["inverse_of"], why, errors);
    let options = &input.options;
    Some(Box::new(CustomSql { find: options.finder_sql.clone()?, count: options.counter_sql.clone() }))
}

impl Keys for CustomSql {
    fn behavior(&self, model: &Model, association: &Association) -> TokenStream {
        let CustomSql { find, count } = self;
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
}

// A function of the owner that gives SQL.
fn finder(model: &Model, path: &Path) -> TokenStream {
    let owner = &model.ident;
    let signature = quote_spanned!(generated(path.span())=> fn(&#owner) -> __assoc::RawSql);
    let call = called(path, &signature, &quote!(__owner));
    let body = quote! {
        match __owner.downcast_ref::<#owner>() {
            __assoc::Option::Some(__owner) => #call,
            __assoc::Option::None => __assoc::Default::default(),
        }
    };
    function(owner, &quote!((__owner: &dyn __assoc::Any) -> __assoc::RawSql), &body)
}
