//! Bodies of triggers and routines: in one, a `;` ends no statement of the file.

use sqlparser::tokenizer::Token;

use crate::database_url::EngineKind;

/// How deep inside `BEGIN … END` of a routine's or trigger's body the scan is.
pub(super) struct Body {
    kind: EngineKind,
    pub(super) depth: usize,
    words: usize,
    /// `CREATE … TRIGGER|PROCEDURE|FUNCTION|EVENT`, or MariaDB's `BEGIN NOT ATOMIC`.
    pub(super) compound: bool,
    creating: bool,
    /// The last token, in upper case where it is a bare word.
    previous: String,
    after_end: bool,
}

impl Body {
    pub(super) fn new(kind: EngineKind) -> Self {
        Self {
            kind,
            depth: 0,
            words: 0,
            compound: false,
            creating: false,
            previous: String::new(),
            after_end: false,
        }
    }

    pub(super) fn see(&mut self, token: &Token) {
        let word = match token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
            Token::SemiColon => ";".to_owned(),
            Token::Colon => ":".to_owned(),
            _ => String::new(),
        };
        self.words += 1;
        match (self.words, word.as_str()) {
            (1, "CREATE") => self.creating = true,
            (2, "NOT") if self.previous == "BEGIN" => {
                self.compound = true;
                self.depth += 1;
            }
            // `CREATE TABLE event (begin date)` has no body: what is created is said first.
            (
                _,
                "TABLE" | "VIEW" | "INDEX" | "DATABASE" | "SCHEMA" | "SEQUENCE" | "TYPE" | "DOMAIN"
                | "POLICY",
            ) if !self.compound => {
                self.creating = false;
            }
            (_, "TRIGGER" | "PROCEDURE" | "FUNCTION" | "EVENT") if self.creating && self.words <= 12 => {
                self.compound = true;
            }
            _ => {}
        }
        if self.compound {
            self.nest(&word);
        }
        self.previous = word;
    }

    fn nest(&mut self, word: &str) {
        // `END IF`, `END CASE`, …: the second word belongs to the first.
        let closing_word = std::mem::take(&mut self.after_end);
        let at_statement = matches!(
            self.previous.as_str(),
            ";" | ":" | "BEGIN" | "THEN" | "ELSE" | "DO" | "LOOP" | "REPEAT" | "ROW"
        );
        match word {
            "END" => {
                self.depth = self.depth.saturating_sub(1);
                self.after_end = true;
            }
            "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" if closing_word => {}
            // PostgreSQL's bodies are quoted, except one kind.
            "ATOMIC" if self.kind == EngineKind::Postgres && self.previous == "BEGIN" => self.depth += 1,
            "BEGIN" if self.kind != EngineKind::Postgres => self.depth += 1,
            "CASE" if self.kind != EngineKind::Postgres || self.depth > 0 => self.depth += 1,
            "IF" | "LOOP" | "WHILE" | "REPEAT" if at_statement && self.depth > 0 => self.depth += 1,
            _ => {}
        }
    }
}
