//! What is wrong with the associations that a client asks for by name.

use std::fmt;

/// What a client asked for wrongly: the part of its request, and what is allowed in that place. A handler can send it to the
/// client, because it names only what the client sent and what the client may have.
///
/// ```
/// use assoc_core::{IncludeProblem, InvalidInclude};
///
/// let problem = IncludeProblem::NotAllowed { allowed: vec!["comments".to_owned(), "user".to_owned()] };
/// let invalid = InvalidInclude::new("posts.secrets", "secrets", problem);
/// assert_eq!(
///     invalid.to_string(),
///     "`posts.secrets` cannot be included: `secrets` is not allowed there; allowed are: comments, user",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInclude {
    path: String,
    part: String,
    problem: IncludeProblem,
}

/// Why something cannot be included.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IncludeProblem {
    /// The name is not allowed in this place.
    NotAllowed {
        /// The names that are, sorted.
        allowed: Vec<String>,
    },
    /// A path has a part without a name: `posts..comments`.
    EmptyName,
    /// More is asked for at once than may be.
    TooMany {
        /// How many paths may be asked for.
        most: usize,
    },
    /// The path is deeper than a path may be.
    TooDeep {
        /// How many names a path may have.
        most: usize,
    },
}

/// Characters of a client's text that are repeated to it.
const SHOWN: usize = 100;

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

impl InvalidInclude {
    /// Makes the error of a path, with the part of it that is wrong. Of long texts only the beginning is kept.
    ///
    /// ```
    /// use assoc_core::{IncludeProblem, InvalidInclude};
    ///
    /// let problem = IncludeProblem::NotAllowed { allowed: vec!["comments".to_owned()] };
    /// let invalid = InvalidInclude::new("posts.secrets", "secrets", problem);
    /// assert_eq!((invalid.path(), invalid.part()), ("posts.secrets", "secrets"));
    /// ```
    #[must_use]
    pub fn new(path: &str, part: &str, problem: IncludeProblem) -> Self {
        InvalidInclude { path: shown(path), part: shown(part), problem }
    }

    /// The path up to the part that is wrong, or the path that is one too many.
    ///
    /// ```
    /// use assoc_core::{IncludeProblem, InvalidInclude};
    ///
    /// let problem = IncludeProblem::NotAllowed { allowed: vec!["comments".to_owned()] };
    /// let invalid = InvalidInclude::new("posts.secrets", "secrets", problem);
    /// assert_eq!(invalid.path(), "posts.secrets");
    /// ```
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The part that is wrong.
    ///
    /// ```
    /// use assoc_core::{IncludeProblem, InvalidInclude};
    ///
    /// let problem = IncludeProblem::NotAllowed { allowed: vec!["comments".to_owned()] };
    /// let invalid = InvalidInclude::new("posts.secrets", "secrets", problem);
    /// assert_eq!(invalid.part(), "secrets");
    /// ```
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }

    /// What is wrong with it.
    ///
    /// ```
    /// use assoc_core::{IncludeProblem, InvalidInclude};
    ///
    /// let problem = IncludeProblem::NotAllowed { allowed: vec!["comments".to_owned()] };
    /// let invalid = InvalidInclude::new("posts.secrets", "secrets", problem);
    /// assert!(matches!(invalid.problem(), IncludeProblem::NotAllowed { .. }));
    /// ```
    #[must_use]
    pub fn problem(&self) -> &IncludeProblem {
        &self.problem
    }

    /// The names that are allowed in its place.
    ///
    /// ```
    /// use assoc_core::{IncludeProblem, InvalidInclude};
    ///
    /// let problem = IncludeProblem::NotAllowed { allowed: vec!["comments".to_owned()] };
    /// let invalid = InvalidInclude::new("posts.secrets", "secrets", problem);
    /// assert_eq!(invalid.allowed(), ["comments"]);
    /// ```
    #[must_use]
    pub fn allowed(&self) -> &[String] {
        match &self.problem {
            IncludeProblem::NotAllowed { allowed } => allowed,
            _ => &[],
        }
    }
}

impl fmt::Display for InvalidInclude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidInclude { path, part, problem } = self;
        match problem {
            IncludeProblem::NotAllowed { allowed } if allowed.is_empty() => {
                write!(f, "`{path}` cannot be included: nothing is allowed where `{part}` stands")
            }
            IncludeProblem::NotAllowed { allowed } => {
                write!(
                    f,
                    "`{path}` cannot be included: `{part}` is not allowed there; allowed are: {}",
                    allowed.join(", ")
                )
            }
            IncludeProblem::EmptyName => write!(f, "`{path}` cannot be included: a name is missing in it"),
            IncludeProblem::TooMany { most } => write!(f, "more than {most} associations are asked for at once"),
            IncludeProblem::TooDeep { most } => {
                write!(f, "`{path}` cannot be included: a path may have {most} names at most")
            }
        }
    }
}
