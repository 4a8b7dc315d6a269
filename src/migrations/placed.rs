//! The words of one statement with their places, for what is put into it.

use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::database_url::EngineKind;

use super::offsets::Offsets;
use super::statements::{dialect, is_versioned};

/// A word of a statement, and where it stands in bytes.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Placed {
    /// True of a bare word, in whatever case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(&self.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword))
    }
}

/// The words of a statement that are not comments or spaces, with their places. None: they cannot be told
/// apart, or some may be hidden in a versioned comment.
pub(super) fn placed(sql: &str, kind: EngineKind) -> Option<Vec<Placed>> {
    let closed = match kind {
        EngineKind::Mysql => sql.replace("/*!", "/* ").replace("/*M!", "/*M "),
        _ => sql.to_owned(),
    };
    let tokens = Tokenizer::new(dialect(kind), &closed)
        .tokenize_with_location()
        .ok()?;
    let offsets = Offsets::new(sql);
    let mut words = Vec::new();
    for TokenWithSpan { token, span } in tokens {
        let start = offsets.byte(span.start.line, span.start.column);
        match token {
            Token::Whitespace(_) if kind == EngineKind::Mysql && is_versioned(&sql[start..]) => return None,
            Token::Whitespace(_) | Token::EOF => {}
            token => words.push(Placed {
                token,
                start,
                end: offsets.byte(span.end.line, span.end.column),
            }),
        }
    }
    Some(words)
}
