//! `#[derive(ColumnType)]` on an enum: which text or number each variant is stored as.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{DataEnum, Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp};

use crate::attributes::{arguments, ungrouped};
use crate::column_type::EnumOptions;
use crate::errors::Errors;
use crate::names::{nearest, plain, snake_case};
use crate::options;

/// An enum without fields.
pub(crate) enum Enumeration {
    /// Each variant is stored as a text.
    Texts(Vec<(Ident, String)>),
    /// Each variant is stored as its number.
    Numbers {
        /// The integer type of the column.
        integer: Ident,
        variants: Vec<Ident>,
        /// The numbers with the names, for messages.
        shown: String,
    },
}

/// How the name of a variant becomes a text: the name of the way, and what it does to the words.
type Naming = (&'static str, fn(&[&str]) -> String);

const NAMINGS: [Naming; 8] = [
    ("snake_case", |words| words.join("_")),
    ("kebab-case", |words| words.join("-")),
    ("lowercase", |words| words.concat()),
    ("UPPERCASE", |words| words.concat().to_uppercase()),
    ("SCREAMING_SNAKE_CASE", |words| words.join("_").to_uppercase()),
    ("SCREAMING-KEBAB-CASE", |words| words.join("-").to_uppercase()),
    ("PascalCase", |words| words.iter().map(|word| capitalised(word)).collect()),
    ("camelCase", |words| {
        let rest = words.iter().skip(1).map(|word| capitalised(word));
        words.first().copied().map(str::to_owned).into_iter().chain(rest).collect()
    }),
];

const INTEGERS: [&str; 8] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Reads an enum.
pub(crate) fn enumeration(
    ident: &Ident,
    data: &DataEnum,
    of_enum: &EnumOptions,
    errors: &mut Errors,
) -> Option<Enumeration> {
    if data.variants.is_empty() {
        errors.on(ident, format!("`{ident}` has no variants: no value of the column could be read"));
        return None;
    }
    let mut renamed: Vec<Option<LitStr>> = Vec::new();
    let has_fields = data.variants.iter().any(|variant| !variant.fields.is_empty());
    for variant in &data.variants {
        if !variant.fields.is_empty() {
            let message = "a variant of a column type has no fields: a column holds one value. Store what varies in columns \
                           of its own, or the whole as JSON";
            errors.on(variant, message.to_owned());
        }
        let mut name = None;
        for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("column_type")) {
            for argument in arguments(attribute, &options::COLUMN_TYPE_VARIANT, errors) {
                name = argument.text(errors);
            }
        }
        renamed.push(name);
    }
    match &of_enum.integer {
        _ if has_fields => None,
        Some(integer) => numbers(data, integer, of_enum, &renamed, errors),
        None => texts(data, of_enum, &renamed, errors),
    }
}

/// What `rename_all` does to the words of a name.
pub(crate) fn naming(text: &LitStr, errors: &mut Errors) -> Option<fn(&[&str]) -> String> {
    let known = NAMINGS.iter().find(|(name, _)| *name == text.value());
    if known.is_none() {
        errors.at(text.span(), unknown("rename_all", &text.value(), &NAMINGS.map(|(name, _)| name)));
    }
    known.map(|(_, naming)| *naming)
}

fn texts(
    data: &DataEnum,
    of_enum: &EnumOptions,
    renamed: &[Option<LitStr>],
    errors: &mut Errors,
) -> Option<Enumeration> {
    let naming = match &of_enum.rename_all {
        None => NAMINGS[0].1,
        Some(text) => naming(text, errors)?,
    };
    let mut texts: Vec<(Ident, String)> = Vec::new();
    for (variant, renamed) in data.variants.iter().zip(renamed) {
        let text = match renamed {
            Some(text) => text.value(),
            None => naming(&snake_case(&plain(&variant.ident)).split('_').collect::<Vec<_>>()),
        };
        if let Some((other, _)) = texts.iter().find(|(_, known)| *known == text) {
            let at = renamed.as_ref().map_or_else(|| variant.ident.span(), Spanned::span);
            let message = format!(
                "`{other}` is stored as `{text}` already: give one of them another text with \
                 `#[column_type(rename = \"…\")]`"
            );
            errors.at(at, message);
        }
        texts.push((variant.ident.clone(), text));
    }
    Some(Enumeration::Texts(texts))
}

fn numbers(
    data: &DataEnum,
    integer: &LitStr,
    of_enum: &EnumOptions,
    renamed: &[Option<LitStr>],
    errors: &mut Errors,
) -> Option<Enumeration> {
    for text in of_enum.rename_all.iter().chain(renamed.iter().flatten()) {
        errors.at(
            text.span(),
            "a variant that is stored as a number has no text: leave out the name, or `as`".to_owned(),
        );
    }
    let name = integer.value();
    if !INTEGERS.contains(&name.as_str()) {
        errors.at(integer.span(), unknown("as", &name, &INTEGERS));
        return None;
    }
    // A number that is not written as one is known to the compiler only.
    let mut next = Some(0_i128);
    let mut shown = Vec::new();
    for variant in &data.variants {
        if let Some((_, value)) = &variant.discriminant {
            next = number_of(value.clone());
        }
        let number = next.map_or_else(String::new, |number| format!("{number} "));
        shown.push(format!("{number}`{}`", plain(&variant.ident)));
        next = next.and_then(|number| number.checked_add(1));
    }
    let variants = data.variants.iter().map(|variant| variant.ident.clone()).collect();
    let integer = Ident::new(&name, integer.span());
    Some(Enumeration::Numbers { integer, variants, shown: shown.join(", ") })
}

fn number_of(value: Expr) -> Option<i128> {
    match ungrouped(value) {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number_of(*expr).map(|number| -number),
        _ => None,
    }
}

fn unknown(option: &str, value: &str, known: &[&str]) -> String {
    let meant = nearest(value, known.iter().copied());
    let meant = meant.map_or_else(|| ";".to_owned(), |near| format!(", did you mean `{near}`?"));
    format!("`{option}` knows no `{value}`{meant} it takes one of: {}", known.join(", "))
}
