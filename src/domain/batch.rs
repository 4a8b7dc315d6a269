//! A migration that runs over ranges of a key, each range in its own transaction.

/// One UPDATE or DELETE, cut where the range goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// As the statement knows it, perhaps with an alias: `o.id`.
    pub key: String,
    /// Its last part, as written: what the table itself calls it.
    pub column: String,
    /// The table whose ranges they are, as written.
    pub table: String,
    /// The table's name without quotes, and its schema or database where one was written.
    pub table_name: String,
    pub table_schema: Option<String>,
    /// Rows of a range.
    pub size: u64,
    /// The statement up to where the condition goes, and what closes it.
    pub opening: String,
    pub closing: String,
}

impl Batch {
    /// The statement for one range.
    pub fn within(&self, range: &str) -> String {
        format!("{}{range}{}", self.opening, self.closing)
    }
}
