//! `#[derive(Polymorphic)]`: reading and checking.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Path, Type, TypePath, Visibility};

use crate::attributes::{FieldNames, arguments};
use crate::errors::Errors;
use crate::names::{plain, snake_case};
use crate::options;

/// An enum of models.
pub(crate) struct Polymorphic {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) root: Option<Path>,
    pub(crate) variants: Vec<Variant>,
}

/// One of them.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) model: Type,
    pub(crate) tag: String,
    /// The model's columns that rows of this type are found by, if not its primary key.
    pub(crate) key: Option<FieldNames>,
    /// `EMPLOYEE`
    pub(crate) constant: String,
}

/// Reads an enum.
pub(crate) fn polymorphic(input: DeriveInput, errors: &mut Errors) -> Option<Polymorphic> {
    let ident = input.ident;
    let mut root = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("polymorphic")) {
        for argument in arguments(attribute, &options::POLYMORPHIC, errors) {
            root = argument.path(errors);
        }
    }
    if !input.generics.params.is_empty() {
        let message =
            format!("a polymorphic target cannot be generic, because its models are one constant: `{ident}` is");
        errors.on(&input.generics, message);
        return None;
    }
    let Data::Enum(data) = input.data else {
        let message =
            format!("the target of a polymorphic association is an enum, one variant a model; `{ident}` is no enum");
        errors.on(&ident, message);
        return None;
    };
    if data.variants.is_empty() {
        errors.on(&ident, format!("`{ident}` has no variants: it needs one for each model, `Employee(Employee)`"));
        return None;
    }
    let mut variants: Vec<Variant> = Vec::new();
    for variant in data.variants {
        let (mut tag, mut key) = (None, None);
        for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("polymorphic")) {
            for argument in arguments(attribute, &options::VARIANT, errors) {
                match argument.name().as_str() {
                    "tag" => tag = argument.text(errors),
                    _ => key = argument.fields(errors),
                }
            }
        }
        let name = plain(&variant.ident);
        let model = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                fields.unnamed.first().map(|field| field.ty.clone())
            }
            _ => None,
        };
        let Some(model) = model else {
            errors.on(&variant, format!("a variant holds one model and nothing else: `{name}({name})`"));
            continue;
        };
        let at = tag.as_ref().map_or_else(|| variant.ident.span(), Spanned::span);
        let tag = tag.map_or_else(|| model_name(&model).unwrap_or_else(|| name.clone()), |tag| tag.value());
        let constant = snake_case(&name).to_uppercase();
        if constant == name {
            let message = format!(
                "`{ident}::{name}` would be a constant as well: call it in CamelCase, with two letters at least"
            );
            errors.on(&variant.ident, message);
        }
        let mistake = variants.iter().find_map(|earlier| {
            let other = &earlier.ident;
            if earlier.model.to_token_stream().to_string() == model.to_token_stream().to_string() {
                Some((model.span(), format!("each model has one variant, and `{other}` holds this one already")))
            } else if earlier.tag == tag {
                let message = format!(
                    "the tag `{tag}` is that of `{other}` already: give one of them another with \
                     `#[polymorphic(tag = \"…\")]`"
                );
                Some((at, message))
            } else if earlier.constant == constant {
                let message = format!(
                    "`{other}` and `{name}` would both have the constant `{ident}::{constant}`: rename one of them"
                );
                Some((variant.ident.span(), message))
            } else {
                None
            }
        });
        match mistake {
            Some((at, message)) => errors.at(at, message),
            None => variants.push(Variant { ident: variant.ident, model, tag, key, constant }),
        }
    }
    Some(Polymorphic { ident, vis: input.vis, root, variants })
}

// The last word of a path.
fn model_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(TypePath { path, .. }) => path.segments.last().map(|segment| plain(&segment.ident)),
        Type::Group(group) => model_name(&group.elem),
        Type::Paren(paren) => model_name(&paren.elem),
        _ => None,
    }
}
