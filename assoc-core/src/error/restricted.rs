//! Refusing to destroy a row because others depend on it.

use std::fmt;

/// A row cannot be destroyed while an association with `dependent = "restrict_with_error"` or
/// `"restrict_with_exception"` has rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{model} cannot be destroyed: `{model}.{association}` has {} ({}), and its rule is `{rule}`", counted(*count, target), listed(keys, *count))]
pub struct Restricted {
    /// The model of the row that cannot be destroyed: the one given, or one that would go with it.
    pub model: &'static str,
    /// The association with the rule.
    pub association: &'static str,
    /// The model of the rows that are in the way.
    pub target: &'static str,
    /// How many rows are in the way.
    pub count: u64,
    /// The first of their keys, as shown in messages; none for rows without primary key.
    pub keys: Vec<String>,
    /// Which of the two rules the association has.
    pub rule: RestrictRule,
}

/// The two rules that refuse. Both are the same error here; which one was declared says how an application means to treat
/// it: as something to tell the user, or as a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestrictRule {
    /// `restrict_with_error`: for the user to read.
    WithError,
    /// `restrict_with_exception`: should not have been tried.
    WithException,
}

impl RestrictRule {
    /// The value of `dependent`: `restrict_with_error`.
    ///
    /// ```
    /// use assoc_core::RestrictRule;
    ///
    /// assert_eq!(RestrictRule::WithError.name(), "restrict_with_error");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RestrictRule::WithError => "restrict_with_error",
            RestrictRule::WithException => "restrict_with_exception",
        }
    }
}

impl fmt::Display for RestrictRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Restricted {
    /// An association that has rows. Which ones is said by [`with_rows`](Self::with_rows).
    ///
    /// ```
    /// use assoc_core::{RestrictRule, Restricted};
    ///
    /// let restricted = Restricted::new("User", "posts", "Post", RestrictRule::WithError);
    /// assert_eq!(restricted.association, "posts");
    /// ```
    #[must_use]
    pub fn new(model: &'static str, association: &'static str, target: &'static str, rule: RestrictRule) -> Self {
        Restricted { model, association, target, count: 0, keys: Vec::new(), rule }
    }

    /// The same with the number of its rows, and the first keys.
    ///
    /// ```
    /// use assoc_core::{RestrictRule, Restricted};
    ///
    /// let restricted = Restricted::new("User", "posts", "Post", RestrictRule::WithError);
    /// let restricted = restricted.with_rows(3, vec!["4".to_owned()]);
    /// assert!(restricted.to_string().contains("has 3 rows of Post (4, …)"));
    /// ```
    #[must_use]
    pub fn with_rows(self, count: u64, keys: Vec<String>) -> Self {
        Restricted { count, keys, ..self }
    }
}

fn counted(count: u64, target: &str) -> String {
    format!("{count} {} of {target}", if count == 1 { "row" } else { "rows" })
}

fn listed(keys: &[String], count: u64) -> String {
    match keys {
        [] => "which have no primary key".to_owned(),
        keys if (keys.len() as u64) < count => format!("{}, …", keys.join(", ")),
        keys => keys.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_association_rows_and_rule() {
        let error = Restricted::new("User", "posts", "Post", RestrictRule::WithError);
        let several = error.clone().with_rows(3, vec!["4".to_owned(), "7".to_owned()]);
        assert_eq!(
            several.to_string(),
            "User cannot be destroyed: `User.posts` has 3 rows of Post (4, 7, …), and its rule is `restrict_with_error`"
        );
        let one = error.with_rows(1, vec!["4".to_owned()]);
        assert!(one.to_string().contains("has 1 row of Post (4), and"));
    }
}
