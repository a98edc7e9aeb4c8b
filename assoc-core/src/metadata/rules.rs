//! Rules that a program states about the rows of a model: what the final values of a row must satisfy before it is
//! written. Plain data; [`Rules`](crate::Rules) is the typed face.
//!
//! # When a rule runs
//!
//! A rule judges the values as they are after the save: those of the row with the changes over them. It runs for every new
//! row, and for a row that exists if a column that it reads changes. The values of the other columns were read some time
//! ago and are not written, so the save says nothing about them. A rule of several columns sees all of them as soon as one
//! changes. [`Occasion`] states the exceptions.
//!
//! A value that only the database knows (a default of the table, the key of a row that is saved first) is not judged, and
//! `NULL` satisfies every rule except [`Check::Present`] and acceptance.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub use checks::{Check, RowCheck, RuleError, ValueCheck};

use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::ModelDef;
use crate::value::Value;

pub(crate) use checks::confirmation_name;

mod checks;

/// A row as it will be once it is saved, as far as that is known before: what rules judge.
///
/// A row that is not yet a change, judged by rules:
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use std::any::Any;
/// use std::sync::Arc;
///
/// use assoc_core::metadata::rules::FinalValues;
/// use assoc_core::metadata::{AssociationDef, ModelDef};
/// use assoc_core::{Rules, Value};
///
/// struct NewTag(&'static str);
///
/// impl FinalValues for NewTag {
///     fn model(&self) -> &'static ModelDef {
///         Tag::DEF
///     }
///
///     fn value(&self, column: usize) -> Option<Value<'_>> {
///         // The key is made by the database.
///         (column == Tag::NAME.index()).then(|| self.0.into())
///     }
///
///     fn is_new(&self) -> bool {
///         true
///     }
///
///     fn is_changed(&self, column: usize) -> bool {
///         column == Tag::NAME.index()
///     }
///
///     fn before(&self) -> Option<&Arc<dyn Any + Send + Sync>> {
///         None
///     }
///
///     fn entered(&self, _: &str) -> Option<&Value<'static>> {
///         None
///     }
///
///     fn members(&self, _: &AssociationDef) -> Option<usize> {
///         None
///     }
/// }
///
/// let rules = Rules::<Tag>::new().required(Tag::NAME).into_set();
/// let problems = |tag: NewTag| {
///     let mut found = Vec::new();
///     rules.problems(&tag, &mut found);
///     found.len()
/// };
/// assert_eq!((problems(NewTag("rust")), problems(NewTag(""))), (0, 1));
/// assert!(NewTag("rust").is_written());
/// ```
pub trait FinalValues {
    /// Its model.
    fn model(&self) -> &'static ModelDef;

    /// The value that a column will have; `None` if only the database knows.
    fn value(&self, column: usize) -> Option<Value<'_>>;

    /// Whether the row is inserted.
    fn is_new(&self) -> bool;

    /// Whether the save writes a column.
    fn is_changed(&self, column: usize) -> bool;

    /// The row as it is, if it exists.
    fn before(&self) -> Option<&Arc<dyn Any + Send + Sync>>;

    /// What was entered beside the columns: a confirmation, an acceptance.
    fn entered(&self, name: &str) -> Option<&Value<'static>>;

    /// The number of members that an association will have: of a new row those that are given, of a row that exists those
    /// that replace all others. `None` if the save does not decide it.
    fn members(&self, association: &AssociationDef) -> Option<usize>;

    /// Whether the save writes the row.
    fn is_written(&self) -> bool {
        (0..self.model().columns.len()).any(|column| self.is_changed(column))
    }
}

/// The rules of a model, or of one changeset.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Rules;
/// use assoc_core::metadata::rules::{Occasion, RuleSet};
///
/// let declared = Rules::<Post>::new().unique(Post::TITLE).exists(Post::USER).check("titled", Post::TITLE).into_set();
/// let mut rules = RuleSet::new();
/// rules.extend(declared, Some(Occasion::Inserted), None);
/// assert!(rules.has_constraints() && rules.rules().len() == 3);
///
/// // What the database says of a violated constraint, in the program's words.
/// let words = |found: Option<(usize, assoc_core::FieldError)>| found.map(|(column, error)| (column, error.message));
/// assert_eq!(words(rules.taken(&[Post::TITLE.index()])), Some((2, "is already taken".to_owned())));
/// assert_eq!(words(rules.refused_by("titled")), Some((2, "is not allowed".to_owned())));
/// assert_eq!(rules.missing_target("user").map(|error| error.message).as_deref(), Some("must exist"));
/// assert_eq!(rules.columns_of_index("index_posts_on_title"), None, "no rule names an index");
/// assert_eq!(rules.last_mut().map(|rule| rule.columns.clone()), Some(vec![2]));
/// ```
#[derive(Clone, Default, Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

/// One rule.
///
/// ```
/// use assoc_core::metadata::rules::{Check, Rule, RuleSet};
///
/// let mut rules = RuleSet::new();
/// rules.push(Rule::new(vec![2], Check::Present));
/// assert_eq!(rules.rules()[0].columns, [2]);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Rule {
    /// The columns that it reads, the one that its problems name first. None of a rule about the whole row.
    pub columns: Vec<usize>,
    /// What they must satisfy.
    pub check: Check,
    /// When it runs.
    pub occasion: Occasion,
    /// Its own code, in place of the check's.
    pub code: Option<Cow<'static, str>>,
    /// Its own message, in place of the check's.
    pub message: Option<Cow<'static, str>>,
    conditions: Vec<Condition>,
}

/// A condition under which rules run.
pub type Condition = Arc<dyn Fn(&dyn FinalValues) -> bool + Send + Sync>;

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Occasion {
    /// For a new row, and when a column that the rule reads changes.
    #[default]
    Changed,
    /// Whenever the row is written.
    Written,
    /// For a new row.
    Inserted,
    /// When a row that exists is written, whichever column changes.
    Updated,
}

impl Rule {
    /// A rule.
    #[must_use]
    pub fn new(columns: Vec<usize>, check: Check) -> Self {
        Rule { columns, check, occasion: Occasion::Changed, code: None, message: None, conditions: Vec::new() }
    }

    fn runs(&self, row: &dyn FinalValues) -> bool {
        let is_new = row.is_new();
        let on_occasion = match self.occasion {
            // What is said of members, or entered, is not in a column.
            Occasion::Changed if matches!(self.check, Check::Members { .. } | Check::Acceptance(_)) => true,
            Occasion::Changed if self.columns.is_empty() => is_new || row.is_written(),
            Occasion::Changed => is_new || self.columns.iter().any(|column| row.is_changed(*column)),
            Occasion::Written => is_new || row.is_written(),
            Occasion::Inserted => is_new,
            Occasion::Updated => !is_new && row.is_written(),
        };
        on_occasion && self.conditions.iter().all(|holds| holds(row))
    }

    // The program's words over the check's.
    fn worded(&self, mut error: FieldError) -> FieldError {
        if let Some(code) = &self.code {
            error.code = code.clone();
        }
        if let Some(message) = &self.message {
            error.message = message.clone().into_owned();
        }
        error
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("columns", &self.columns)
            .field("check", &self.check)
            .field("occasion", &self.occasion)
            .finish_non_exhaustive()
    }
}

impl RuleSet {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        RuleSet::default()
    }

    /// Adds a rule.
    ///
    /// ```
    /// use assoc_core::metadata::rules::{Check, Rule, RuleSet};
    ///
    /// let mut rules = RuleSet::new();
    /// rules.push(Rule::new(vec![2], Check::Present));
    /// assert!(rules.rules().len() == 1 && !rules.has_constraints());
    /// ```
    pub fn push(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// The rules, in the order in which they were added.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule that was added last.
    pub fn last_mut(&mut self) -> Option<&mut Rule> {
        self.rules.last_mut()
    }

    /// Adds the rules of another set, which run on this occasion and under this condition.
    pub fn extend(&mut self, other: RuleSet, occasion: Option<Occasion>, condition: Option<&Condition>) {
        for mut rule in other.rules {
            if let Some(occasion) = occasion {
                rule.occasion = occasion;
            }
            rule.conditions.extend(condition.cloned());
            self.rules.push(rule);
        }
    }

    /// Whether a rule asks for the words of a violated constraint.
    #[must_use]
    pub fn has_constraints(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(rule.check, Check::Unique { .. } | Check::Exists { .. } | Check::Database { .. }))
    }

    /// What the program says about a violated unique index over these columns, in any order, and the column of the problem.
    #[must_use]
    pub fn taken(&self, columns: &[usize]) -> Option<(usize, FieldError)> {
        let is_it = |rule: &&Rule| {
            matches!(rule.check, Check::Unique { .. })
                && rule.columns.len() == columns.len()
                && rule.columns.iter().all(|column| columns.contains(column))
        };
        let rule = self.rules.iter().find(is_it)?;
        let error = FieldError::new(String::new(), "is already taken").with_code(FieldError::TAKEN);
        Some((*rule.columns.first()?, rule.worded(error)))
    }

    /// The columns of the unique index of this name, if a rule names it.
    #[must_use]
    pub fn columns_of_index(&self, name: &str) -> Option<&[usize]> {
        self.rules.iter().find_map(|rule| match &rule.check {
            Check::Unique { index: Some(index) } if index.eq_ignore_ascii_case(name) => Some(&rule.columns[..]),
            _ => None,
        })
    }

    /// What the program says about a target of this association that does not exist.
    #[must_use]
    pub fn missing_target(&self, association: &str) -> Option<FieldError> {
        let is_it = |rule: &&Rule| matches!(&rule.check, Check::Exists { association: own } if own.name == association);
        let rule = self.rules.iter().find(is_it)?;
        Some(rule.worded(FieldError::new(String::new(), "must exist").with_code(FieldError::TARGET_MISSING)))
    }

    /// What the program says about a violated check of this name, and the column of the problem.
    #[must_use]
    pub fn refused_by(&self, name: &str) -> Option<(usize, FieldError)> {
        let is_it = |rule: &&Rule| matches!(&rule.check, Check::Database { name: own } if own == name);
        let rule = self.rules.iter().find(is_it)?;
        let error = FieldError::new(String::new(), "is not allowed").with_code(FieldError::CHECK);
        Some((*rule.columns.first()?, rule.worded(error)))
    }

    /// Adds what the rules find wrong with a row.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Rules;
    /// use assoc_core::change::RowChange;
    ///
    /// // A change asks all rule sets that judge it.
    /// let mut tag = RowChange::new(Tag::DEF);
    /// tag.set(Tag::NAME.index(), "".into());
    /// tag.add_rules(Rules::<Tag>::new().required(Tag::NAME).into_set());
    /// assert_eq!(tag.problems().len(), 1);
    /// ```
    pub fn problems(&self, row: &dyn FinalValues, errors: &mut Vec<FieldError>) {
        for rule in self.rules.iter().filter(|rule| rule.runs(row)) {
            let mut found = Vec::new();
            rule.check.problems(&rule.columns, row, &mut found);
            errors.extend(found.into_iter().map(|error| rule.worded(error)));
        }
    }
}
