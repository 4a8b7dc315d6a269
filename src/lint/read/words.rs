//! A statement's words, one after the other.

use super::super::name::Name;
use super::super::tokens::{Kind, Piece};

/// Reads on through a statement.
#[derive(Clone)]
pub(super) struct Words<'p> {
    pieces: &'p [Piece],
    at: usize,
}

impl<'p> Words<'p> {
    pub(super) fn new(pieces: &'p [Piece]) -> Self {
        Self { pieces, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'p Piece> {
        self.pieces.get(self.at)
    }

    pub(super) fn rest(&self) -> &'p [Piece] {
        &self.pieces[self.at.min(self.pieces.len())..]
    }

    pub(super) fn next(&mut self) -> Option<&'p Piece> {
        let piece = self.pieces.get(self.at);
        self.at += 1;
        piece
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let is_it = self.peek().is_some_and(|it| it.is(word));
        self.at += usize::from(is_it);
        is_it
    }

    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let rest = self.rest();
        let all = rest.len() >= words.len() && rest.iter().zip(words).all(|(it, word)| it.is(word));
        self.at += if all { words.len() } else { 0 };
        all
    }

    /// `orders`, `acme.orders`, `shop.acme.orders`.
    pub(super) fn name(&mut self) -> Option<Name> {
        let mut parts = Vec::new();
        loop {
            let piece = self.peek().filter(|it| it.is_name())?;
            parts.push(piece.name.clone());
            self.at += 1;
            if !self.eat(".") {
                break;
            }
        }
        let name = parts.pop()?;
        Some(Name {
            schema: parts.pop(),
            name,
        })
    }

    /// The rest begins with the words.
    pub(super) fn has_first(&self, words: &[&str]) -> bool {
        self.clone().eat_all(words)
    }

    /// The rest holds the word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.rest().iter().any(|it| it.is(word))
    }

    pub(super) fn has_all(&self, words: &[&str]) -> bool {
        self.rest()
            .windows(words.len())
            .any(|window| window.iter().zip(words).all(|(it, word)| it.is(word)))
    }

    /// The rest holds the word outside of parentheses.
    pub(super) fn has_outside(&self, word: &str) -> bool {
        let mut depth = 0usize;
        for piece in self.rest() {
            match piece.text.as_str() {
                "(" if piece.kind == Kind::Sign => depth += 1,
                ")" if piece.kind == Kind::Sign => depth = depth.saturating_sub(1),
                _ if depth == 0 && piece.is(word) => return true,
                _ => {}
            }
        }
        false
    }

    pub(super) fn skip_to(&mut self, word: &str) {
        while self.peek().is_some_and(|it| !it.is(word)) {
            self.at += 1;
        }
    }

    /// `WITH … AS (…)` in front of what is done: gives what is in the parentheses.
    pub(super) fn skip_with(&mut self) -> Vec<&'p [Piece]> {
        let mut inside = Vec::new();
        if !self.peek().is_some_and(|it| it.is("WITH")) {
            return inside;
        }
        while let Some(piece) = self.peek() {
            match piece.text.as_str() {
                "(" if piece.kind == Kind::Sign => {
                    inside.extend(self.group());
                    continue;
                }
                "INSERT" | "UPDATE" | "DELETE" | "SELECT" | "REPLACE" if piece.kind == Kind::Word => break,
                _ => {}
            }
            self.at += 1;
        }
        inside
    }

    /// The rest, cut at commas outside of parentheses.
    pub(super) fn items(&self) -> Vec<&'p [Piece]> {
        split(self.rest())
    }

    /// What stands between the parenthesis that comes next and its partner.
    pub(super) fn group(&mut self) -> Option<&'p [Piece]> {
        if !self.eat("(") {
            return None;
        }
        let start = self.at;
        let mut depth = 1usize;
        while let Some(piece) = self.next() {
            match piece.text.as_str() {
                "(" if piece.kind == Kind::Sign => depth += 1,
                ")" if piece.kind == Kind::Sign => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(&self.pieces[start..self.at - 1]);
            }
        }
        None
    }
}

pub(super) fn split(pieces: &[Piece]) -> Vec<&[Piece]> {
    let mut items = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (at, piece) in pieces.iter().enumerate() {
        match piece.text.as_str() {
            "(" if piece.kind == Kind::Sign => depth += 1,
            ")" if piece.kind == Kind::Sign => depth = depth.saturating_sub(1),
            "," if piece.kind == Kind::Sign && depth == 0 => {
                items.push(&pieces[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&pieces[start..]);
    items.retain(|item| !item.is_empty());
    items
}
