//! Raw SQL in a statement: its placeholders become the dialect's, each takes a bind, and it cannot affect the SQL
//! around it.
//!
//! A condition is written in parentheses, and a line break ends a comment at its end. An open quote, comment or
//! parenthesis at the end of the text is refused before any SQL, and so is a closing parenthesis without an opening
//! one. So neither `-- all of them` nor `1=1) OR (1=1` can bypass a limit or a filter beside it.

use super::SqlWriter;
use crate::error::{Error, Result};
use crate::value::Value;

mod scan;

pub use scan::{RawSyntax, ScanError, Scanned, scan};

/// So much of a text is shown in messages, in bytes.
const SHOWN: usize = 200;

impl SqlWriter<'_> {
    /// Appends raw SQL that is a part of a statement, its `?` replaced by placeholders.
    ///
    /// # Errors
    /// When the number of `?` outside quotes and comments is not the number of binds, a quote, comment or parenthesis is
    /// left open, a parenthesis was not opened, or there is a semicolon.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.raw("length(title) > ? AND title <> '?'", &[3_i64.into()])?;
    /// assert_eq!(writer.text(), "length(title) > ? AND title <> '?'");
    ///
    /// // What would leave its place is refused.
    /// assert!(writer.raw("1 = 1) OR (1 = 1", &[]).is_err());
    /// assert!(writer.raw("1 = 1; DROP TABLE posts", &[]).is_err());
    /// assert!(writer.raw("title = ?", &[]).is_err());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn raw(&mut self, sql: &str, binds: &[Value<'static>]) -> Result<()> {
        let scanned = self.scanned(sql)?;
        if let Some(at) = scanned.semicolon {
            return Err(refused(sql, format!(": the semicolon at byte {at} would end the statement")));
        }
        self.write_raw(sql, binds, &scanned)
    }

    /// Appends a condition or an expression in raw SQL, in parentheses.
    ///
    /// # Errors
    /// As [`raw`](Self::raw).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.push("id > 7 AND ");
    /// writer.raw_condition("title = ? OR title = ?", &["A".into(), "B".into()])?;
    /// assert_eq!(writer.finish().sql(), "id > 7 AND (title = ? OR title = ?)");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn raw_condition(&mut self, sql: &str, binds: &[Value<'static>]) -> Result<()> {
        self.push("(");
        self.raw(sql, binds)?;
        self.push(")");
        Ok(())
    }

    /// Appends raw SQL that is a whole statement. It may end in a semicolon.
    ///
    /// # Errors
    /// As [`raw`](Self::raw). Several statements with binds are refused, because the binds cannot be assigned to them.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::driver::StatementKind;
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::of_kind(&dialect, StatementKind::Raw);
    /// writer.raw_statement("SELECT id FROM posts WHERE title = ?;", &["A".into()])?;
    /// assert_eq!(writer.finish().binds().len(), 1);
    ///
    /// let mut writer = SqlWriter::of_kind(&dialect, StatementKind::Raw);
    /// assert!(writer.raw_statement("DELETE FROM posts; DELETE FROM tags WHERE id = ?", &[1_i64.into()]).is_err());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn raw_statement(&mut self, sql: &str, binds: &[Value<'static>]) -> Result<()> {
        let scanned = self.scanned(sql)?;
        if scanned.goes_on && !binds.is_empty() {
            return Err(refused(sql, ": there are several statements, run them one by one".to_owned()));
        }
        self.write_raw(sql, binds, &scanned)
    }

    fn scanned(&self, sql: &str) -> Result<Scanned> {
        scan(sql, self.dialect.raw_syntax()).map_err(|error| refused(sql, format!(": {error}")))
    }

    fn write_raw(&mut self, sql: &str, binds: &[Value<'static>], scanned: &Scanned) -> Result<()> {
        let (wanted, given) = (scanned.placeholders.len(), binds.len());
        if wanted != given {
            return Err(refused(sql, format!(" has {wanted} placeholders (`?`) and {given} binds were given")));
        }
        if let Some(at) = scanned.question_marks.first()
            && self.has_bare_placeholders()
        {
            let name = self.dialect.name();
            let message =
                format!(": the `??` at byte {at} is a question mark that is no placeholder, and {name} knows none");
            return Err(refused(sql, message));
        }
        let mut written = 0;
        let mut binds = binds.iter();
        let mut marks = scanned.question_marks.iter().copied().peekable();
        for at in &scanned.placeholders {
            while let Some(mark) = marks.next_if(|mark| mark < at) {
                self.push(&sql[written..=mark]);
                written = mark + 2;
            }
            self.push(&sql[written..*at]);
            written = at + 1;
            self.bind(binds.next().cloned().unwrap_or_default());
        }
        for mark in marks {
            self.push(&sql[written..=mark]);
            written = mark + 2;
        }
        self.push(&sql[written..]);
        self.push(if scanned.open_line { "\n" } else { "" });
        Ok(())
    }

    // Whether the database would read a question mark as a placeholder.
    fn has_bare_placeholders(&self) -> bool {
        let mut placeholder = String::new();
        self.dialect.placeholder(1, &mut placeholder);
        placeholder.starts_with('?')
    }
}

/// Refuses raw SQL of an order that ends in a direction. The order may be written backwards, and then says so itself.
pub(super) fn refuse_direction(sql: &str) -> Result<()> {
    let last = sql.split_ascii_whitespace().next_back().unwrap_or_default();
    let says = ["asc", "desc", "first", "last"].iter().any(|word| last.eq_ignore_ascii_case(word));
    let alone = sql.trim().len() == last.len();
    if says && !alone {
        let why = " says a direction: leave it out, and write `Sort::raw(…).reversed()` for a descending order, \
                   `.nulls_first()` or `.nulls_last()` for the place of NULL";
        return Err(refused(sql, why.to_owned()));
    }
    Ok(())
}

// The reason goes on where the text ends.
fn refused(sql: &str, why: String) -> Error {
    let end = sql.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= SHOWN).last().unwrap_or(0);
    let more = if end < sql.len() { "…" } else { "" };
    Error::invalid_query("raw SQL", format!("`{}{more}`{why}", &sql[..end]))
}
