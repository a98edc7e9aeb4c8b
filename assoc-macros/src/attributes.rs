//! The syntax all our attributes share: `#[name(flag, option = value)]`.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token};

use crate::errors::Errors;
use crate::names::{is_field_name, listed, nearest};
use crate::options::OptionTable;

/// One option: `flag` or `name = value`.
pub(crate) struct Argument {
    ident: Ident,
    value: Option<Expr>,
    attribute: &'static str,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option: `name` or `name = \"…\"`"));
        }
        let ident = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(ungrouped(input.parse()?))
        } else if input.is_empty() || input.peek(Token![,]) {
            None
        } else {
            let message = format!("expected `{ident}` alone or `{ident} = \"…\"`");
            return Err(syn::Error::new(ident.span(), message));
        };
        Ok(Argument { ident, value, attribute: "" })
    }
}

/// What another macro has passed on as one piece, such as a `$name:literal`, stands in a group that is not visible.
pub(crate) fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

/// The options of an attribute. Those that `table` does not have are reported and left out, also those given twice.
pub(crate) fn arguments(attribute: &Attribute, table: &OptionTable, errors: &mut Errors) -> Vec<Argument> {
    let name = table.attribute;
    let parsed = match &attribute.meta {
        Meta::Path(_) => return Vec::new(),
        Meta::NameValue(_) => {
            errors.on(&attribute.meta, format!("write the options of `{name}` in parentheses: `#[{name}(…)]`"));
            return Vec::new();
        }
        Meta::List(list) => list.parse_args_with(Punctuated::<Argument, Token![,]>::parse_terminated),
    };
    let mut arguments: Vec<Argument> = Vec::new();
    match parsed {
        Err(error) => errors.push(error),
        Ok(parsed) => {
            for mut argument in parsed {
                let option = argument.name();
                if !table.names().any(|name| name == option) {
                    errors.at(argument.ident.span(), unknown(&option, table));
                } else if arguments.iter().any(|earlier| earlier.ident == argument.ident) {
                    errors.at(argument.ident.span(), format!("`{option}` is given twice"));
                } else {
                    argument.attribute = name;
                    arguments.push(argument);
                }
            }
        }
    }
    arguments
}

fn unknown(option: &str, table: &OptionTable) -> String {
    let OptionTable { attribute, place, planned, refused, .. } = table;
    if let Some((_, why)) = refused.iter().find(|(name, _)| *name == option) {
        return format!("`{attribute}` takes no `{option}`: {why}");
    }
    if planned.contains(&option) {
        return format!("`{option}` on `{attribute}` is not available yet");
    }
    let valid = format!("valid options are: {}", table.names().collect::<Vec<_>>().join(", "));
    match nearest(option, table.names()) {
        Some(near) => format!("unknown option `{option}` for `{attribute}`{place}, did you mean `{near}`? {valid}"),
        None => format!("unknown option `{option}` for `{attribute}`{place}; {valid}"),
    }
}

impl Argument {
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    pub(crate) fn span(&self) -> Span {
        self.ident.span()
    }

    /// Requires that it has no value.
    pub(crate) fn flag(&self, errors: &mut Errors) -> bool {
        if let Some(value) = &self.value {
            errors.on(value, format!("`{}` takes no value: write `#[{}({0})]`", self.name(), self.attribute));
        }
        self.value.is_none()
    }

    /// A flag that may say `= true` or `= false`.
    pub(crate) fn boolean(&self, errors: &mut Errors) -> Option<bool> {
        match &self.value {
            None => Some(true),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) => Some(value.value),
            Some(other) => {
                errors.on(other, format!("expected `true` or `false`: `{} = false`", self.name()));
                None
            }
        }
    }

    /// A string that may be left out: `Some(None)` without a value.
    #[allow(clippy::option_option)] // Not given, given wrong and given without value are three things.
    pub(crate) fn optional_text(&self, errors: &mut Errors) -> Option<Option<LitStr>> {
        if self.value.is_none() { Some(None) } else { self.text(errors).map(Some) }
    }

    /// A string.
    pub(crate) fn text(&self, errors: &mut Errors) -> Option<LitStr> {
        let name = self.name();
        match &self.value {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text.clone()),
            Some(other) => {
                let shown = match other {
                    Expr::Path(path) => path.to_token_stream().to_string(),
                    _ => "…".to_owned(),
                };
                errors.on(other, format!("`{name}` takes a string: write `{name} = \"{shown}\"`"));
                None
            }
            None => {
                errors.at(self.span(), format!("`{name}` needs a value: write `{name} = \"…\"`"));
                None
            }
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, errors: &mut Errors) -> Option<u32> {
        if let Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) = &self.value
            && let Ok(number) = number.base10_parse()
        {
            return Some(number);
        }
        let span = self.value.as_ref().map_or(self.span(), Spanned::span);
        errors.at(span, format!("`{0}` takes a whole number: write `{0} = 40`", self.name()));
        None
    }

    /// Any expression.
    pub(crate) fn expression(&self, errors: &mut Errors) -> Option<Expr> {
        if self.value.is_none() {
            errors.at(self.span(), format!("`{0}` needs a value: write `{0} = …`", self.name()));
        }
        self.value.clone()
    }

    /// A function's path, with or without quotes.
    pub(crate) fn function(&self, errors: &mut Errors) -> Option<syn::Path> {
        match &self.value {
            Some(Expr::Path(path)) if path.qself.is_none() => Some(path.path.clone()),
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
                let path = text.parse_with(syn::Path::parse_mod_style).ok();
                if path.is_none() {
                    let (name, text_value) = (self.name(), text.value());
                    let message = format!(
                        "`{name}` takes the name of a function, and `{text_value}` is none: write `{name} = my_scope`"
                    );
                    errors.on(text, message);
                }
                path
            }
            value => {
                let message = format!("`{0}` takes the name of a function: write `{0} = my_scope`", self.name());
                errors.at(value.as_ref().map_or(self.span(), Spanned::span), message);
                None
            }
        }
    }

    /// A module's path, without quotes.
    pub(crate) fn module(&self, errors: &mut Errors) -> Option<syn::Path> {
        match &self.value {
            Some(Expr::Path(path)) if path.qself.is_none() => Some(path.path.clone()),
            value => {
                let message = format!(
                    "`{0}` takes the path of a module of `table!`: write `{0} = crate::schema::users`",
                    self.name()
                );
                errors.at(value.as_ref().map_or(self.span(), Spanned::span), message);
                None
            }
        }
    }

    /// One function, or several in brackets, in the order in which they run.
    pub(crate) fn functions(&self, errors: &mut Errors) -> Vec<syn::Path> {
        let Some(Expr::Array(array)) = &self.value else { return self.function(errors).into_iter().collect() };
        let mut paths = Vec::new();
        for element in &array.elems {
            let value = Some(ungrouped(element.clone()));
            let one = Argument { ident: self.ident.clone(), value, attribute: self.attribute };
            paths.extend(one.function(errors));
        }
        paths
    }

    /// The name of an association, or `false` for no association.
    pub(crate) fn inverse(&self, errors: &mut Errors) -> Option<Inverse> {
        match &self.value {
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) if !value.value => Some(Inverse::None),
            Some(Expr::Lit(ExprLit { lit: Lit::Str(_), .. })) => self.field(errors).map(Inverse::Named),
            value => {
                let message = "`inverse_of` takes the name of the association that leads back, or says that there is \
                               none: write `inverse_of = \"…\"` or `inverse_of = false`";
                errors.at(value.as_ref().map_or(self.span(), Spanned::span), message);
                None
            }
        }
    }

    /// A path in a string, as `crate` takes it.
    pub(crate) fn path(&self, errors: &mut Errors) -> Option<syn::Path> {
        let text = self.text(errors)?;
        match text.parse_with(syn::Path::parse_mod_style) {
            Ok(path) => Some(path),
            Err(_) => {
                errors.on(&text, format!("`{}` is not a path like `my_crate::orm`", text.value()));
                None
            }
        }
    }

    /// The name of one field in a string.
    pub(crate) fn field(&self, errors: &mut Errors) -> Option<FieldName> {
        let text = self.text(errors)?;
        let name = text.value().trim().trim_start_matches("r#").to_owned();
        if is_field_name(&name) {
            return Some(FieldName { name, span: text.span() });
        }
        errors.on(&text, format!("`{0}` takes one name, and `{name}` is none", self.name()));
        None
    }

    /// Names of fields in a string, with commas between them.
    pub(crate) fn fields(&self, errors: &mut Errors) -> Option<FieldNames> {
        self.names(errors, "field", is_field_name)
    }

    /// Names of any number of fields in a string, with commas between them.
    pub(crate) fn field_list(&self, errors: &mut Errors) -> Option<FieldNames> {
        self.listed_names(errors, "field", is_field_name)
    }

    /// Whether it has no value.
    pub(crate) fn is_bare(&self) -> bool {
        self.value.is_none()
    }

    /// Names of columns in a string, with commas between them.
    pub(crate) fn columns(&self, errors: &mut Errors) -> Option<FieldNames> {
        self.names(errors, "column", |name| !name.is_empty() && !name.contains('\0'))
    }

    fn names(&self, errors: &mut Errors, of: &str, is_name: fn(&str) -> bool) -> Option<FieldNames> {
        let names = self.listed_names(errors, of, is_name)?;
        if names.names.len() > 4 {
            errors.at(names.span, format!("a key has at most 4 columns, these are {}", names.names.len()));
            return None;
        }
        Some(names)
    }

    fn listed_names(&self, errors: &mut Errors, of: &str, is_name: fn(&str) -> bool) -> Option<FieldNames> {
        let text = self.text(errors)?;
        let value = text.value();
        let names: Vec<String> = value.split(',').map(|name| name.trim().trim_start_matches("r#").to_owned()).collect();
        if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
            let remedy = format!("write `{0} = \"id\"`, or `{0} = \"a, b\"` for several", self.name());
            errors.on(&text, format!("`{wrong}` is not the name of a {of}; {remedy}"));
            return None;
        }
        let repeated = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, repeated)) = repeated {
            errors.on(&text, format!("`{repeated}` is named twice"));
            return None;
        }
        Some(FieldNames { names, span: text.span() })
    }
}

/// A field that an option names.
#[derive(Clone)]
pub(crate) struct FieldName {
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// The association that leads back.
#[derive(Clone)]
pub(crate) enum Inverse {
    None,
    Named(FieldName),
}

/// Fields that an option names.
#[derive(Clone)]
pub(crate) struct FieldNames {
    pub(crate) names: Vec<String>,
    pub(crate) span: Span,
}

impl FieldNames {
    /// `` `a` and `b` ``.
    pub(crate) fn listed(&self) -> String {
        listed(self.names.iter().map(String::as_str))
    }
}
