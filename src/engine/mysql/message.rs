//! Several statements in one message, and which of them an error is about.

/// What a statement of a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Ours,
    /// Fails where another run has taken the migration over.
    Fence,
    /// Fails where another run has begun the migration.
    Begin,
    /// A statement of a migration: indexes of both.
    Statement(usize, usize),
}

impl Purpose {
    fn statement(self) -> Option<(usize, usize)> {
        match self {
            Self::Statement(migration, index) => Some((migration, index)),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Message {
    text: String,
    /// With where each ends.
    purposes: Vec<(Purpose, usize)>,
}

impl Message {
    pub(super) fn is_empty(&self) -> bool {
        self.purposes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn add(&mut self, purpose: Purpose, sql: &str) {
        if !self.text.is_empty() {
            self.text.push(';');
        }
        self.text.push_str(sql);
        if matches!(purpose, Purpose::Statement(..)) {
            // It may end in a comment.
            self.text.push('\n');
        }
        self.purposes.push((purpose, self.text.len()));
    }

    /// What failed after so many went well.
    pub(super) fn failed(&self, completed: usize) -> Purpose {
        self.purposes.get(completed).map_or(Purpose::Ours, |it| it.0)
    }

    /// The last statement of a migration among those that went well.
    pub(super) fn last_done(&self, completed: usize) -> Option<(usize, usize)> {
        let done = &self.purposes[..completed.min(self.purposes.len())];
        done.iter().rev().find_map(|it| it.0.statement())
    }

    /// The first one among the others.
    pub(super) fn next(&self, completed: usize) -> Option<(usize, usize)> {
        self.purposes
            .iter()
            .skip(completed)
            .find_map(|it| it.0.statement())
    }

    /// What was sent behind the statement that failed.
    pub(super) fn tail(&self, completed: usize) -> &str {
        let end = self.purposes.get(completed).map_or(self.text.len(), |it| it.1);
        &self.text[end..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_finds_its_statement() {
        let mut message = Message::default();
        message.add(Purpose::Ours, "USE a");
        message.add(Purpose::Statement(0, 4), "CREATE x -- y");
        message.add(Purpose::Fence, "SELECT 1");
        assert_eq!(message.text(), "USE a;CREATE x -- y\n;SELECT 1");
        assert_eq!(message.failed(1), Purpose::Statement(0, 4));
        assert_eq!(message.tail(1), ";SELECT 1");
        assert_eq!(message.last_done(1), None);
        assert_eq!(message.last_done(2), Some((0, 4)));
        assert_eq!(message.next(1), Some((0, 4)));
        assert_eq!(message.next(2), None);
        assert_eq!(message.failed(9), Purpose::Ours);
    }
}
