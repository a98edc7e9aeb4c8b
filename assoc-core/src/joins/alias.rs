//! Names for joined tables, by ActiveRecord's rules, so that raw SQL can refer to a joined table:
//!
//! 1. The first use of a table has the table's name.
//! 2. Another use combines the association in the plural and the table that it is joined to: `authors_posts`. The
//!    intermediate tables of a chain add `_join`.
//! 3. A name that is taken gets a number: `authors_posts_2`, `authors_posts_3`.
//! 4. Names are cut to the identifier length of the database; a numbered one is cut first, so that its number fits.
//!
//! Names in hand-written joins count as taken before all others. Databases disagree on whether upper case matters in
//! table names, so two names that differ in case only are the same here.

use std::collections::HashMap;

/// The names one statement uses for its tables.
///
/// ```
/// use assoc_core::joins::AliasTracker;
///
/// let mut names = AliasTracker::new(63);
/// names.reserve("posts"); // The statement's own table.
/// assert_eq!(names.name("users", "authors_posts"), "users");
/// assert_eq!(names.name("posts", "answers_posts"), "answers_posts");
/// assert_eq!(names.name("posts", "answers_posts"), "answers_posts_2");
/// ```
#[derive(Debug, Clone)]
pub struct AliasTracker {
    longest: usize,
    uses: HashMap<String, usize>,
}

impl AliasTracker {
    /// A tracker with no taken name. `longest` is the identifier length of the database in bytes.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        AliasTracker { longest, uses: HashMap::new() }
    }

    /// Takes a name that is used whatever we do.
    pub fn reserve(&mut self, name: &str) {
        *self.uses.entry(name.to_lowercase()).or_default() += 1;
    }

    /// The name of another use of `table`: `otherwise` if the table's name is taken.
    pub fn name(&mut self, table: &str, otherwise: &str) -> String {
        let own = self.uses.entry(table.to_lowercase()).or_default();
        if *own == 0 {
            *own = 1;
            return table.to_owned();
        }
        let name = cut(otherwise, self.longest);
        let uses = self.uses.entry(name.to_lowercase()).or_default();
        *uses += 1;
        let mut number = *uses;
        if number == 1 {
            return name.to_owned();
        }
        // A numbered name may also be the name of a table, and long names may be equal after the cut.
        loop {
            let suffix = format!("_{number}");
            let numbered = format!("{}{suffix}", cut(name, self.longest.saturating_sub(suffix.len())));
            let taken = self.uses.entry(numbered.to_lowercase()).or_default();
            *taken += 1;
            if *taken == 1 {
                return numbered;
            }
            number += 1;
        }
    }
}

// The beginning of a name, of at most `longest` bytes, in complete characters.
fn cut(name: &str, longest: usize) -> &str {
    let mut end = longest.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// The names of tables in a hand-written join: the word after `JOIN`, or the alias after it.
pub(super) fn names_in(sql: &str) -> Vec<String> {
    let words = words(sql);
    let mut names = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !word.is_keyword("join") {
            continue;
        }
        let mut next = at + 1;
        if words.get(next).is_some_and(|word| word.is_keyword("lateral")) {
            next += 1;
        }
        // `schema . table`
        let mut name = match words.get(next) {
            Some(Word::Name { text, .. }) => Some(text.clone()),
            // A subquery: only its alias is a name.
            Some(Word::Sign('(')) => {
                let mut depth = 0;
                while let Some(word) = words.get(next) {
                    match word {
                        Word::Sign('(') => depth += 1,
                        Word::Sign(')') => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                    next += 1;
                }
                None
            }
            _ => continue,
        };
        while let (Some(Word::Sign('.')), Some(Word::Name { text, .. })) = (words.get(next + 1), words.get(next + 2)) {
            name = Some(text.clone());
            next += 2;
        }
        if words.get(next + 1).is_some_and(|word| word.is_keyword("as")) {
            next += 1;
        }
        if let Some(Word::Name { text, quoted }) = words.get(next + 1)
            && (*quoted || !ends_a_table(text))
        {
            name = Some(text.clone());
        }
        names.extend(name);
    }
    names
}

// What may follow a table without an alias.
fn ends_a_table(word: &str) -> bool {
    const AFTER: [&str; 12] =
        ["on", "using", "join", "inner", "left", "right", "full", "cross", "natural", "where", "straight_join", "use"];
    AFTER.iter().any(|after| word.eq_ignore_ascii_case(after))
}

enum Word {
    Name { text: String, quoted: bool },
    Sign(char),
}

impl Word {
    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self, Word::Name { text, quoted: false } if text.eq_ignore_ascii_case(keyword))
    }
}

// Names, quoted or not, and single signs; strings and blanks are left out.
fn words(sql: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => while rest.next().is_some_and(|c| c != '\'') {},
            '"' | '`' => {
                let mut text = String::new();
                while let Some(inner) = rest.next() {
                    if inner != c {
                        text.push(inner);
                    } else if rest.next_if_eq(&c).is_some() {
                        text.push(c);
                    } else {
                        break;
                    }
                }
                words.push(Word::Name { text, quoted: true });
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut text = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_' || *c == '$') {
                    text.push(c);
                }
                words.push(Word::Name { text, quoted: false });
            }
            c if c.is_whitespace() => {}
            c => words.push(Word::Sign(c)),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_the_table_then_the_association_then_numbers() {
        let mut names = AliasTracker::new(64);
        names.reserve("posts");
        assert_eq!(names.name("comments", "comments_posts"), "comments");
        assert_eq!(names.name("comments", "comments_posts"), "comments_posts");
        assert_eq!(names.name("comments", "comments_posts"), "comments_posts_2");
        assert_eq!(names.name("comments", "comments_posts"), "comments_posts_3");
        // The root keeps its own name.
        assert_eq!(names.name("posts", "posts_authors"), "posts_authors");
        assert_eq!(names.name("Comments", "replies_comments"), "replies_comments");
    }

    #[test]
    fn names_are_cut_and_numbers_fit() {
        let mut names = AliasTracker::new(10);
        names.reserve("tags");
        assert_eq!(names.name("tags", "abcdefghijklmno"), "abcdefghij");
        assert_eq!(names.name("tags", "abcdefghijxyz"), "abcdefgh_2");
        assert_eq!(names.name("tags", "abcdefghij"), "abcdefgh_3");
        // In whole characters.
        assert_eq!(names.name("tags", "aaaaaaaaaé"), "aaaaaaaaa");
        assert_eq!(names.name("tags", "aaaaaaaaaé"), "aaaaaaaa_2");
    }

    #[test]
    fn a_number_never_meets_another_name() {
        let mut names = AliasTracker::new(64);
        names.reserve("tags");
        names.reserve("tags_posts_2");
        assert_eq!(names.name("tags", "tags_posts"), "tags_posts");
        assert_eq!(names.name("tags", "tags_posts"), "tags_posts_3");
        assert_eq!(names.name("tags_posts", "x"), "x");
    }

    #[test]
    fn names_in_joins_of_ones_own() {
        let cases: [(&str, &[&str]); 9] = [
            ("INNER JOIN comments ON comments.post_id = posts.id", &["comments"]),
            ("left outer join comments c on c.post_id = posts.id", &["c"]),
            ("JOIN `comments` AS `the c` ON 1 = 1 JOIN tags USING (id)", &["the c", "tags"]),
            ("JOIN shop.orders ON 1", &["orders"]),
            ("JOIN shop.\"or\"\"ders\" o ON 1", &["o"]),
            ("JOIN (SELECT id FROM tags JOIN x ON 1) AS few ON few.id = 1", &["few", "x"]),
            ("JOIN LATERAL (SELECT 1) l ON TRUE", &["l"]),
            ("CROSS JOIN a", &["a"]),
            ("WHERE name = ' join b '", &[]),
        ];
        for (sql, names) in cases {
            assert_eq!(names_in(sql), names, "{sql}");
        }
    }
}
