//! `#[derive(ColumnType)]`: reading and checking.

use proc_macro2::Ident;
use syn::{Data, DeriveInput, Member, Path, Type};

use crate::attributes::arguments;
use crate::errors::Errors;
use crate::options;

/// A newtype.
pub(crate) struct Newtype {
    pub(crate) ident: Ident,
    pub(crate) root: Option<Path>,
    /// Whether it can be a primary key.
    pub(crate) key: bool,
    /// `0`, or the name of its field.
    pub(crate) member: Member,
    pub(crate) inner: Type,
}

/// Reads a newtype.
pub(crate) fn newtype(input: DeriveInput, errors: &mut Errors) -> Option<Newtype> {
    let mut key = false;
    let mut root = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("column_type")) {
        for argument in arguments(attribute, &options::COLUMN_TYPE, errors) {
            match argument.name().as_str() {
                "key" => key = argument.flag(errors),
                _ => root = argument.path(errors),
            }
        }
    }
    if !input.generics.params.is_empty() {
        let message =
            format!("a column type cannot be generic, because what it stores is one constant: `{}` is", input.ident);
        errors.on(&input.generics, message);
        return None;
    }
    let Data::Struct(data) = input.data else {
        errors.on(&input.ident, wrong(&input.ident, "is no struct"));
        return None;
    };
    let count = data.fields.len();
    let mut fields = data.fields.members().zip(data.fields.iter());
    match (fields.next(), fields.next()) {
        (Some((member, field)), None) => {
            let inner = field.ty.clone();
            Some(Newtype { ident: input.ident, root, key, member, inner })
        }
        _ => {
            errors.on(&input.ident, wrong(&input.ident, &format!("has {count} fields")));
            None
        }
    }
}

fn wrong(ident: &Ident, what: &str) -> String {
    format!("a column type is a struct of one field, like `struct {ident}(i64);`, whose column it takes; this {what}")
}
