//! Bytes, lines and characters of a text.

use std::cell::Cell;

/// Byte offsets of line starts: the tokenizer counts lines and characters. A migration may be megabytes in one line, so
/// each question goes on from the one before where it can.
pub(crate) struct Offsets<'a> {
    text: &'a str,
    lines: Vec<usize>,
    /// Line, characters before it in the line, byte.
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Offsets<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(breaks).collect(),
            last: Cell::default(),
        }
    }

    /// The byte at a line and column, which count from 1.
    pub(super) fn byte(&self, line: u64, column: u64) -> usize {
        let line = (line.max(1) as usize - 1).min(self.lines.len() - 1);
        let column = column.max(1) as usize - 1;
        let (before, start) = match self.last.get() {
            (last, before, at) if last == line && before <= column => (before, at),
            _ => (0, self.lines[line]),
        };
        let within = self.text[start..].char_indices().nth(column - before);
        let Some((at, _)) = within else {
            return self.text.len();
        };
        self.last.set((line, column, start + at));
        start + at
    }

    /// Line and column of a byte, from 1.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(at);
        let line = self.lines.partition_point(|start| *start <= at) - 1;
        let (before, start) = match self.last.get() {
            (last, before, byte) if last == line && byte <= at => (before, byte),
            _ => (0, self.lines[line]),
        };
        let column = before + self.text[start..at].chars().count();
        self.last.set((line, column, at));
        (line + 1, column + 1)
    }
}
