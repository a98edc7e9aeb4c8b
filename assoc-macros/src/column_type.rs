//! `#[derive(ColumnType)]`: reading and checking.

use proc_macro2::Ident;
use syn::{Data, DataStruct, DeriveInput, LitStr, Member, Path, Type};

use crate::attributes::arguments;
use crate::enumeration::{Enumeration, enumeration};
use crate::errors::Errors;
use crate::options;

/// A type that stands for one value of a column.
pub(crate) struct ColumnType {
    pub(crate) ident: Ident,
    pub(crate) root: Option<Path>,
    /// Whether it can be a primary key.
    pub(crate) key: bool,
    pub(crate) form: Form,
}

/// What it consists of.
pub(crate) enum Form {
    Newtype(Newtype),
    Enumeration(Enumeration),
}

/// A struct of one field, which is stored as its field is.
pub(crate) struct Newtype {
    /// `0`, or the name of its field.
    pub(crate) member: Member,
    pub(crate) inner: Type,
}

/// What an enum says of all its variants.
#[derive(Default)]
pub(crate) struct EnumOptions {
    pub(crate) rename_all: Option<LitStr>,
    /// `as`
    pub(crate) integer: Option<LitStr>,
}

/// Reads a struct or an enum.
pub(crate) fn column_type(input: DeriveInput, errors: &mut Errors) -> Option<ColumnType> {
    let (mut key, mut root, mut of_enum) = (false, None, EnumOptions::default());
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("column_type")) {
        for argument in arguments(attribute, &options::COLUMN_TYPE, errors) {
            match argument.name().as_str() {
                "key" => key = argument.flag(errors),
                "rename_all" => of_enum.rename_all = argument.text(errors),
                "as" => of_enum.integer = argument.text(errors),
                _ => root = argument.path(errors),
            }
        }
    }
    let ident = input.ident;
    if !input.generics.params.is_empty() {
        let message = format!("a column type cannot be generic, because what it stores is one constant: `{ident}` is");
        errors.on(&input.generics, message);
        return None;
    }
    let form = match input.data {
        Data::Struct(data) => {
            for (option, text) in [("rename_all", &of_enum.rename_all), ("as", &of_enum.integer)] {
                if let Some(text) = text {
                    let message = format!("`{option}` is for enums: `{ident}` is stored as its field is");
                    errors.at(text.span(), message);
                }
            }
            Form::Newtype(newtype(&ident, &data, errors)?)
        }
        Data::Enum(data) => Form::Enumeration(enumeration(&ident, &data, &of_enum, errors)?),
        Data::Union(_) => {
            errors.on(&ident, wrong(&ident, "is a union"));
            return None;
        }
    };
    Some(ColumnType { ident, root, key, form })
}

fn newtype(ident: &Ident, data: &DataStruct, errors: &mut Errors) -> Option<Newtype> {
    let count = data.fields.len();
    let mut fields = data.fields.members().zip(data.fields.iter());
    match (fields.next(), fields.next()) {
        (Some((member, field)), None) => Some(Newtype { member, inner: field.ty.clone() }),
        _ => {
            errors.on(ident, wrong(ident, &format!("has {count} fields")));
            None
        }
    }
}

fn wrong(ident: &Ident, what: &str) -> String {
    format!(
        "a column type is a struct of one field, like `struct {ident}(i64);`, whose column it takes, or an enum without fields; \
         this {what}"
    )
}
