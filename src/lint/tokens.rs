//! A statement as words, without comments: `sqlparser`'s tokenizer knows what is quoted.

use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::database_url::EngineKind;
use crate::domain::Statement;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word: a keyword or a name.
    Word,
    /// A quoted name.
    Quoted,
    /// Text in quotes.
    Text,
    /// Text between dollars: most often a body of a function.
    Body,
    Number,
    /// `(`, `,`, `.` and all the others.
    Sign,
}

#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// Bare words in upper case; names and texts without their quotes.
    pub(super) text: String,
    /// A name as the engine stores it: PostgreSQL a bare one in small letters.
    pub(super) name: String,
    /// In the file, from 1.
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Piece {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text == word
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }
}

/// What cannot be told apart is no piece: the splitter has said so already.
pub(super) fn pieces(statement: &Statement, kind: EngineKind) -> Vec<Piece> {
    let mut pieces = text_pieces(&statement.sql, kind);
    for piece in &mut pieces {
        if piece.line == 1 {
            piece.column += statement.column - 1;
        }
        piece.line += statement.line - 1;
    }
    pieces
}

/// Of a text by itself; places are within it.
pub(super) fn text_pieces(sql: &str, kind: EngineKind) -> Vec<Piece> {
    let tokens = Tokenizer::new(dialect(kind), sql).tokenize_with_location();
    let tokens = tokens.unwrap_or_default();
    tokens.iter().filter_map(|it| piece(it, kind)).collect()
}

fn dialect(kind: EngineKind) -> &'static dyn Dialect {
    match kind {
        EngineKind::Postgres => &PostgreSqlDialect {},
        EngineKind::Mysql => &MySqlDialect {},
        EngineKind::Sqlite => &SQLiteDialect {},
    }
}

/// Bytes of a name that PostgreSQL keeps.
const KEPT: usize = 63;

fn piece(TokenWithSpan { token, span }: &TokenWithSpan, engine: EngineKind) -> Option<Piece> {
    let mut name = None;
    let (kind, text) = match token {
        Token::Whitespace(_) | Token::EOF => return None,
        Token::Word(word) if word.quote_style.is_none() => {
            name = Some(match engine {
                EngineKind::Postgres => word.value.to_lowercase(),
                EngineKind::Mysql | EngineKind::Sqlite => word.value.clone(),
            });
            (Kind::Word, word.value.to_uppercase())
        }
        Token::Word(word) => (Kind::Quoted, word.value.clone()),
        Token::DollarQuotedString(body) => (Kind::Body, body.value.clone()),
        Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::UnicodeStringLiteral(text) => (Kind::Text, text.clone()),
        Token::Number(number, _) => (Kind::Number, number.clone()),
        other => (Kind::Sign, other.to_string()),
    };
    // A body's place is that of its text.
    let behind_tag = match token {
        Token::DollarQuotedString(body) => body.tag.as_ref().map_or(0, |tag| tag.chars().count()) + 2,
        _ => 0,
    };
    let mut name = name.unwrap_or_else(|| text.clone());
    // NAMEDATALEN: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
    if engine == EngineKind::Postgres && matches!(kind, Kind::Word | Kind::Quoted) && name.len() > KEPT {
        let end = (0..=KEPT).rev().find(|at| name.is_char_boundary(*at));
        name.truncate(end.unwrap_or(0));
    }
    Some(Piece {
        kind,
        text,
        name,
        line: span.start.line as usize,
        column: span.start.column as usize + behind_tag,
    })
}
