//! Rules about the form of a text: each needs the feature that holds its parser.

use std::sync::Arc;

use super::Rules;
#[cfg(feature = "regex")]
use super::pattern::IntoPattern;
use crate::error::FieldError;
use crate::metadata::model::Model;
use crate::metadata::rules::{Check, RuleError};
use crate::typed::column::{Column, TextColumn};
use crate::value::Value;

impl<M: Model> Rules<M> {
    /// Text matches a regular expression: a `&str` or a `Regex`. An expression without `^` and `$` matches a part of the
    /// text. With the feature `regex`.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// let rules = Rules::new().format(User::NAME, "^[A-Z]"); // "ada": "name has the wrong form"
    /// # assert_eq!(said(rules, User::NAME, "ada"), "name has the wrong form");
    /// ```
    #[cfg(feature = "regex")]
    pub fn format<V: TextColumn>(self, column: Column<M, V>, pattern: impl IntoPattern) -> Self {
        let check = match pattern.into_pattern() {
            Ok(pattern) => text_check(move |text| pattern.is_match(text), "has the wrong form", FieldError::FORMAT),
            Err(reason) => Check::Broken(reason),
        };
        self.with(vec![column.index()], check)
    }

    /// Text is an e-mail address, by the rules of RFC 5321 and 5322, without a name beside it. With the feature `email`.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// let rules = Rules::new().email(User::EMAIL); // "ada": "email is not an e-mail address"
    /// # assert_eq!(said(rules, User::EMAIL, "ada"), "email is not an e-mail address");
    /// ```
    #[cfg(feature = "email")]
    pub fn email<V: TextColumn>(self, column: Column<M, V>) -> Self {
        let is_address = |text: &str| {
            let options = email_address::Options::default().without_display_text().with_required_tld();
            email_address::EmailAddress::parse_with_options(text, options.without_domain_literal()).is_ok()
        };
        let check = text_check(is_address, "is not an e-mail address", FieldError::EMAIL);
        self.with(vec![column.index()], check)
    }

    /// Text is a URL of `http` or `https` with a host. With the feature `url`.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// let rules = Rules::new().url(User::SITE); // "example.org": "site is not a URL"
    /// # assert_eq!(said(rules, User::SITE, "example.org"), "site is not a URL");
    /// ```
    #[cfg(feature = "url")]
    pub fn url<V: TextColumn>(self, column: Column<M, V>) -> Self {
        self.url_of(column, ["http", "https"])
    }

    /// Text is a URL with one of these schemes. With the feature `url`.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// let rules = Rules::new().url_of(User::SITE, ["https"]); // "http://example.org": "site is not a URL"
    /// # assert_eq!(said(rules, User::SITE, "http://example.org"), "site is not a URL");
    /// ```
    #[cfg(feature = "url")]
    pub fn url_of<V: TextColumn>(
        self,
        column: Column<M, V>,
        schemes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let schemes: Vec<String> = schemes.into_iter().map(Into::into).collect();
        let is_url = move |text: &str| {
            // The parser takes blanks around a URL and removes them.
            text.trim() == text
                && url::Url::parse(text).is_ok_and(|url| schemes.iter().any(|scheme| scheme == url.scheme()))
        };
        self.with(vec![column.index()], text_check(is_url, "is not a URL", FieldError::URL))
    }
}

#[cfg(any(feature = "regex", feature = "email", feature = "url"))]
fn text_check(
    holds: impl Fn(&str) -> bool + Send + Sync + 'static,
    message: &'static str,
    code: &'static str,
) -> Check {
    Check::Value(Arc::new(move |value: &Value<'_>| match value {
        Value::Text(text) if !holds(text) => Err(RuleError::new(message).with_code(code)),
        _ => Ok(()),
    }))
}
