//! `dependent`: what becomes of an association's rows when their owner is destroyed.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::attributes::Argument;
use crate::errors::Errors;
use crate::kinds::Kind;
use crate::names::{listed, nearest};
use crate::parse::AssociationInput;

/// The option's value, and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct DependentInput {
    pub(crate) rule: Rule,
    pub(crate) span: Span,
}

/// What is done with the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Destroy,
    Delete,
    Nullify,
    RestrictWithError,
    RestrictWithException,
    Database,
}

impl Rule {
    const ALL: [Rule; 6] = [
        Rule::Destroy,
        Rule::Delete,
        Rule::Nullify,
        Rule::RestrictWithError,
        Rule::RestrictWithException,
        Rule::Database,
    ];

    const fn name(self) -> &'static str {
        match self {
            Rule::Destroy => "destroy",
            Rule::Delete => "delete",
            Rule::Nullify => "nullify",
            Rule::RestrictWithError => "restrict_with_error",
            Rule::RestrictWithException => "restrict_with_exception",
            Rule::Database => "database",
        }
    }

    // Whether a `belongs_to` takes it: of the row that the owner refers to.
    const fn is_for_referred(self) -> bool {
        matches!(self, Rule::Destroy | Rule::Delete)
    }

    // Whether rows of the target are written.
    const fn writes(self) -> bool {
        matches!(self, Rule::Destroy | Rule::Delete | Rule::Nullify)
    }
}

/// Reads the option.
pub(crate) fn dependent(kind: Kind, argument: &Argument, errors: &mut Errors) -> Option<DependentInput> {
    let text = argument.text(errors)?;
    let given = text.value();
    let takes = |rule: &Rule| kind != Kind::BelongsTo || rule.is_for_referred();
    let names: Vec<&str> = Rule::ALL.into_iter().filter(takes).map(Rule::name).collect();
    let rule = Rule::ALL.into_iter().find(|rule| rule.name() == given);
    if let Some(rule) = rule.filter(takes) {
        return Some(DependentInput { rule, span: text.span() });
    }
    let why = match (rule, given.as_str()) {
        (Some(_), _) => format!(
            "`dependent` of a `{kind}` is about the row that the owner refers to, and that cannot be `{given}`: nothing of \
             it refers to the owner"
        ),
        (None, "delete_all") => "`delete_all` is `dependent = \"delete\"` here".to_owned(),
        (None, "restrict") => {
            "`restrict` is `dependent = \"restrict_with_error\"` or `\"restrict_with_exception\"` here".to_owned()
        }
        (None, "destroy_async") => {
            "`destroy_async` has no counterpart: destroy in a task of the application's own".to_owned()
        }
        (None, _) => match nearest(&given, names.iter().copied()) {
            Some(near) => format!("`dependent` does not know `{given}`, did you mean `{near}`?"),
            None => format!("`dependent` does not know `{given}`"),
        },
    };
    let stop = if why.ends_with('?') { "" } else { ";" };
    errors.on(&text, format!("{why}{stop} choose from {}", listed(names.iter().copied())));
    None
}

impl DependentInput {
    /// What cannot stand beside it.
    pub(crate) fn check(self, input: &AssociationInput, errors: &mut Errors) {
        let rule = self.rule.name();
        let given = |option: &str| input.given.iter().any(|(name, _)| name == option);
        let why = if given("limit") || given("offset") {
            "what depends on a row is all of its rows, and this association has a `limit` or an `offset`: declare another \
             one without it, and `dependent` there"
        } else if given("scope_by_owner") {
            "with `scope_by_owner` each owner would need a statement: declare another association without it, and \
             `dependent` there"
        } else if given("finder_sql") {
            "with `finder_sql` no key says which rows depend on an owner"
        } else if given("readonly") && !given("through") && self.rule.writes() {
            "the association is `readonly`, and its rows would be written"
        } else {
            return;
        };
        errors.at(self.span, format!("`dependent = \"{rule}\"` has no place here: {why}"));
    }
}

/// The rule as the core names it.
pub(crate) fn tokens(rule: Rule) -> TokenStream {
    match rule {
        Rule::Destroy => quote!(__assoc::Dependent::Destroy),
        Rule::Delete => quote!(__assoc::Dependent::Delete),
        Rule::Nullify => quote!(__assoc::Dependent::Nullify),
        Rule::RestrictWithError => quote!(__assoc::Dependent::Restrict(__assoc::RestrictRule::WithError)),
        Rule::RestrictWithException => quote!(__assoc::Dependent::Restrict(__assoc::RestrictRule::WithException)),
        Rule::Database => quote!(__assoc::Dependent::Database),
    }
}
