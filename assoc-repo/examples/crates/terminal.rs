//! How the report looks where it is printed: colours, columns as wide as what is in them, lines that fit the terminal.

use std::env;
use std::io::{self, BufWriter, IsTerminal, Read, StdoutLock, Write};

/// When the report has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    /// In a terminal, unless the environment says `NO_COLOR`.
    Auto,
    Always,
    Never,
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Title,
    Name,
    Number,
    /// Something that stands out among its like.
    Mark,
    /// What is there for those who look for it.
    Quiet,
}

impl Style {
    /// The parameter of the escape sequence that begins it.
    const fn code(self) -> Option<&'static str> {
        match self {
            Style::Plain => None,
            Style::Title => Some("1"),
            Style::Name => Some("36"),
            Style::Number => Some("32"),
            Style::Mark => Some("33"),
            Style::Quiet => Some("2"),
        }
    }
}

/// A row of a table: a name, numbers at the right of their columns, and a text that may take several lines.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) numbers: Vec<String>,
    pub(crate) text: String,
}

/// Stdout.
pub(crate) struct Terminal {
    out: BufWriter<StdoutLock<'static>>,
    width: usize,
    colored: bool,
}

/// Of a table beside a text: what the text takes at least, if it is that long.
const TEXT: usize = 24;
/// Between the columns of a table, and before them.
const GAP: usize = 2;

impl Terminal {
    pub(crate) fn new(color: Color) -> Self {
        let visible = io::stdout().is_terminal();
        let colored = match color {
            Color::Auto => visible && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            Color::Always => true,
            Color::Never => false,
        };
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        let width = columns.unwrap_or_else(|| match terminal_size::terminal_size_of(io::stdout()) {
            Some((width, _)) => width.0.into(),
            None if visible => 80,
            // A file or another program: lines are as long as what they say.
            None => usize::MAX,
        });
        Terminal { out: BufWriter::new(io::stdout().lock()), width, colored }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// A title with an empty line before it.
    pub(crate) fn heading(&mut self, title: &str) -> io::Result<()> {
        self.blank()?;
        self.line(&[(Style::Title, title)])?;
        self.line(&[(Style::Quiet, &"=".repeat(title.len()))])
    }

    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// One line. What does not fit is cut.
    pub(crate) fn line(&mut self, pieces: &[(Style, &str)]) -> io::Result<()> {
        let mut left = self.width;
        let fits = pieces.iter().map(|(_, text)| length(text)).sum::<usize>() <= left;
        for (style, text) in pieces {
            // Of a line that is too long, the last letter is the sign that it is cut.
            if !fits && length(text) >= left {
                self.paint(*style, &format!("{}…", first(text, left.saturating_sub(1))))?;
                break;
            }
            self.paint(*style, text)?;
            left -= length(text);
        }
        self.blank()
    }

    /// A text, folded between words. Further lines are indented by two more than the first.
    pub(crate) fn text(&mut self, style: Style, text: &str) -> io::Result<()> {
        let indent = text.chars().take_while(|character| " │├└─".contains(*character)).count() + GAP;
        self.folded(style, text, indent)
    }

    /// A text, folded between words. Further lines are indented.
    pub(crate) fn folded(&mut self, style: Style, text: &str, indent: usize) -> io::Result<()> {
        // Half of the line at least is for the text.
        let indent = indent.min(self.width / 2);
        for (at, line) in fold(text, self.width, self.width - indent).iter().enumerate() {
            let before = if at == 0 { 0 } else { indent };
            self.pad(before)?;
            self.paint(style, line)?;
            self.blank()?;
        }
        Ok(())
    }

    /// Rows below one another. A name that leaves no room for the other columns is cut.
    pub(crate) fn table(&mut self, head: Option<Row>, rows: &[Row]) -> io::Result<()> {
        let all = || head.iter().chain(rows);
        let columns = all().map(|row| row.numbers.len()).max().unwrap_or_default();
        let longest = |text: &dyn Fn(&Row) -> Option<&String>| {
            all().filter_map(text).map(|text| length(text)).max().unwrap_or_default()
        };
        let numbers: Vec<usize> = (0..columns).map(|at| longest(&|row| row.numbers.get(at))).collect();
        let text = longest(&|row| Some(&row.text));
        let others: usize = GAP + numbers.iter().map(|width| width + GAP).sum::<usize>();
        let beside = if text == 0 { 0 } else { text.min(TEXT) + GAP };
        let name = longest(&|row| Some(&row.name)).min(self.width.saturating_sub(others + beside).max(GAP));
        let text_from = others + name + GAP;
        let text_width = self.width.saturating_sub(text_from).max(GAP);

        for (row, is_head) in head.iter().map(|row| (row, true)).chain(rows.iter().map(|row| (row, false))) {
            let style = |style: Style| if is_head { Style::Quiet } else { style };
            self.pad(GAP)?;
            let shown = cut(&row.name, name);
            self.paint(style(Style::Name), &shown)?;
            let mut padding = name - length(&shown);
            for (number, width) in row.numbers.iter().zip(&numbers) {
                padding += GAP + width - length(number);
                self.pad(padding)?;
                self.paint(style(Style::Number), number)?;
                padding = 0;
            }
            for (at, line) in fold(&row.text, text_width, text_width).iter().enumerate() {
                let before = if at == 0 { padding + GAP } else { text_from };
                if !line.is_empty() {
                    self.pad(before)?;
                    self.paint(style(Style::Plain), line)?;
                }
                self.blank()?;
            }
        }
        Ok(())
    }

    // Not by the width of a format, which ends at 65,535.
    fn pad(&mut self, spaces: usize) -> io::Result<()> {
        io::copy(&mut io::repeat(b' ').take(spaces as u64), &mut self.out).map(drop)
    }

    fn paint(&mut self, style: Style, text: &str) -> io::Result<()> {
        // Names come from packages of others, and a terminal obeys what they hold.
        let text = &text.replace(char::is_control, "\u{fffd}");
        match style.code().filter(|_| self.colored && !text.is_empty()) {
            Some(code) => write!(self.out, "\x1b[{code}m{text}\x1b[0m"),
            None => write!(self.out, "{text}"),
        }
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn first(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect()
}

/// A text of at most `width` letters, the last of which tells whether there were more.
fn cut(text: &str, width: usize) -> String {
    if length(text) <= width { text.to_owned() } else { format!("{}…", first(text, width.saturating_sub(1))) }
}

/// The lines of a text: the first of at most `first` letters, the others of at most `further`. A longer word is broken.
fn fold(text: &str, first: usize, further: usize) -> Vec<String> {
    let (mut lines, mut line, mut width) = (Vec::new(), String::new(), first.max(1));
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 && length(&line) + 1 + length(word) <= width {
            line.push(' ');
        } else if at > 0 {
            lines.push(std::mem::take(&mut line));
            width = further.max(1);
        }
        for letter in word.chars() {
            if length(&line) == width {
                lines.push(std::mem::take(&mut line));
                width = further.max(1);
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}
