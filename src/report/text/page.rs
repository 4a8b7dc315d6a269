//! Lines of a terminal: wrapped at words, coloured or not, deaf to the control characters of others.

use anstyle::{AnsiColor, Style as Ink};

use super::super::clean;
use super::super::words::Mark;
use super::Style;

pub(super) const PLAIN: Ink = Ink::new();
pub(super) const BOLD: Ink = Ink::new().bold();
pub(super) const DIM: Ink = Ink::new().dimmed();
pub(super) const HINT: Ink = AnsiColor::Cyan.on_default();

pub(super) fn ink(mark: Mark) -> Ink {
    match mark {
        Mark::Passed => AnsiColor::Green.on_default(),
        Mark::Warned => AnsiColor::Yellow.on_default(),
        Mark::Failed => AnsiColor::Red.on_default(),
        Mark::Skipped | Mark::Note => DIM,
    }
}

/// Written to from top to bottom. All text comes through [`Page::line`] or [`Page::verbatim`],
/// which clean it: only the page itself writes escape sequences.
pub(super) struct Page {
    out: String,
    lines: usize,
    style: Style,
}

impl Page {
    pub(super) fn new(style: &Style) -> Self {
        let width = style.width.max(40);
        Self {
            out: String::new(),
            lines: 0,
            style: Style { width, ..*style },
        }
    }

    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// Written so far.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// One empty line, unless there is one already.
    pub(super) fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Spans one after the other, wrapped; what is wrapped stands `hang` further in than `indent`.
    /// A no-break space does not break, and is printed as a space.
    pub(super) fn line(&mut self, indent: usize, hang: usize, spans: &[(Ink, &str)]) {
        let mut lines = vec![Vec::new()];
        for (ink, text) in spans {
            for c in clean::block(text).chars() {
                match (c, lines.last_mut()) {
                    ('\n', _) => lines.push(Vec::new()),
                    (c, Some(line)) => line.push((*ink, c)),
                    (_, None) => {}
                }
            }
        }
        for (at, line) in lines.iter().enumerate() {
            let first = if at == 0 { indent } else { indent + hang };
            for (at, row) in wrapped(line, self.style.width, first, indent + hang)
                .iter()
                .enumerate()
            {
                let margin = if at == 0 { first } else { indent + hang };
                self.write(margin, row);
            }
        }
    }

    /// Lines as they are, none wrapped: SQL, which is copied.
    pub(super) fn verbatim(&mut self, indent: usize, ink: Ink, text: &str) {
        for line in clean::block(text).trim_end().split('\n') {
            let row: Vec<_> = line.trim_end().chars().map(|c| (ink, c)).collect();
            self.write(indent, &row);
        }
    }

    /// A line of a table, its mark coloured.
    pub(super) fn table_line(&mut self, indent: usize, line: &str) {
        let mark = Mark::ALL.into_iter().find(|mark| line.starts_with(mark.sign()));
        let line = clean::block(line.trim_end());
        let paint = |(at, c)| (if at == 0 { mark.map_or(PLAIN, ink) } else { PLAIN }, c);
        let row: Vec<_> = line.chars().enumerate().map(paint).collect();
        self.write(indent, &row);
    }

    fn write(&mut self, margin: usize, row: &[(Ink, char)]) {
        let mut current = PLAIN;
        if !row.is_empty() {
            self.out.push_str(&" ".repeat(margin));
        }
        for (ink, c) in row {
            if self.style.color && *ink != current {
                self.out
                    .push_str(&format!("{}{}", current.render_reset(), ink.render()));
                current = *ink;
            }
            self.out.push(if *c == '\u{a0}' { ' ' } else { *c });
        }
        if current != PLAIN {
            self.out.push_str(&current.render_reset().to_string());
        }
        self.out.push('\n');
        self.lines += 1;
    }
}

/// Greedy, at spaces only: a path or a URL longer than the line stays whole, so that it can be copied.
fn wrapped(line: &[(Ink, char)], width: usize, first: usize, other: usize) -> Vec<Vec<(Ink, char)>> {
    let mut rows = vec![Vec::new()];
    let mut room = width.saturating_sub(first);
    let mut rest = line;
    while !rest.is_empty() {
        let spaces = rest.iter().take_while(|(_, c)| *c == ' ').count();
        let word = rest[spaces..].iter().take_while(|(_, c)| *c != ' ').count();
        let (chunk, after) = rest.split_at(spaces + word);
        rest = after;
        if word == 0 {
            break;
        }
        let begun = rows.last().map_or(0, Vec::len);
        let row = if begun > 0 && begun + chunk.len() > room {
            room = width.saturating_sub(other);
            rows.push(Vec::new());
            &chunk[spaces..]
        } else {
            chunk
        };
        if let Some(last) = rows.last_mut() {
            last.extend_from_slice(row);
        }
    }
    rows
}
