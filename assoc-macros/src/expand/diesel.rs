//! The comparison of a model's columns with a `table!` of Diesel's: by the compiler, which looks for each column in the table's
//! module and for a field type that agrees with the column's.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::generated;
use crate::validate::{Column, Model};

/// The comparisons, if the model names a table of Diesel's.
pub(super) fn comparisons(model: &Model) -> Option<TokenStream> {
    let table = model.diesel.as_ref()?;
    Some(model.columns.iter().map(|column| comparison(table, column)).collect())
}

fn comparison(table: &syn::Path, column: &Column) -> TokenStream {
    let field_type = &column.ty;
    // A wrong name is shown at the field, a wrong type at its type.
    let name = Ident::new(&name_in_diesel(&column.column), column.field.span());
    let at = generated(field_type.span());
    quote_spanned! {at=>
        const _: () = ::assoc_diesel::schema::agree::<#table::columns::#name, #field_type>();
    }
}

// Diesel puts an underscore behind a column that is called like a keyword, and in place of what no name of Rust may have.
fn name_in_diesel(column: &str) -> String {
    let name: String = column.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    if syn::parse_str::<Ident>(&name).is_ok() {
        return name;
    }
    let with_underscore = format!("{name}_");
    if syn::parse_str::<Ident>(&with_underscore).is_ok() { with_underscore } else { format!("_{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_diesels_tables() {
        assert_eq!(name_in_diesel("name"), "name");
        assert_eq!(name_in_diesel("type"), "type_");
        assert_eq!(name_in_diesel("first name"), "first_name");
        assert_eq!(name_in_diesel("2nd"), "_2nd");
    }
}
