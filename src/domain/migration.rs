//! Migrations and their set.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Batch;

/// Which schemas a migration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Shared,
    Tenant,
}

impl Scope {
    pub const ALL: [Scope; 2] = [Scope::Shared, Scope::Tenant];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Shared => "shared",
            Scope::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The number before the first `_` of a file's name, compared as a number: `7` and `0007` are one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// What a signed 64-bit column of every engine holds; 14 digits of a timestamp are well below.
    pub const LARGEST: u64 = i64::MAX as u64;
}

impl fmt::Display for Version {
    /// At least four digits, as such files are usually numbered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// `sha256:` and 64 hexadecimal digits over one migration's normalised content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Checksum(pub String);

/// `sha256:` and 64 hexadecimal digits over a whole migration set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The first twelve digits: enough for people to compare.
    pub fn short(&self) -> &str {
        let digits = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
        digits.get(..12).unwrap_or(digits)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One statement of a migration and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    /// Of the first character, from 1.
    pub line: usize,
    /// Of the first character, from 1, in characters.
    pub column: usize,
}

/// Which way a file leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    Forward,
    /// It takes a migration back.
    Back,
}

impl Direction {
    /// The ledger's word for a file that is carried out statement by statement.
    pub fn underway(self) -> &'static str {
        match self {
            Self::Forward => "running",
            Self::Back => "reverting",
        }
    }
}

/// One file of the migration set, or the one that takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    pub scope: Scope,
    pub version: Version,
    /// What stands between the version and `.sql`, or `.down.sql`.
    pub name: String,
    /// As shown to people: relative to the working directory where it is below it.
    pub file: String,
    /// CRLF read as LF, BOM dropped.
    pub sql: String,
    pub statements: Vec<Statement>,
    pub checksum: Checksum,
    /// False with `-- tenantgate: no-transaction` in the first line.
    pub transactional: bool,
    pub direction: Direction,
    /// `<version>_<name>.down.sql`, where there is one: no part of the set's digest, and of its own scope,
    /// version and name.
    pub down: Option<Box<Migration>>,
    /// Present with `-- tenantgate: batch …` in the first line: its one statement runs over ranges.
    pub batch: Option<Batch>,
}

impl Migration {
    /// `tenant/0042_add_priority.sql`: how findings name a migration.
    pub fn label(&self) -> String {
        let down = match self.direction {
            Direction::Forward => "",
            Direction::Back => ".down",
        };
        format!("{}/{}_{}{down}.sql", self.scope, self.version, self.name)
    }

    /// Over the first `count` statements: what a half-done migration must still begin with. A batch is
    /// half done with its only statement as soon as one range is.
    pub fn done_checksum(&self, count: usize) -> Checksum {
        if let Some(batch) = self.batch.as_ref().filter(|_| count > 0) {
            let statement = self.statements.iter().map(|it| it.sql.as_str());
            let parts: Vec<&str> = ["batch", &batch.key, &batch.table]
                .into_iter()
                .chain(statement)
                .collect();
            return Checksum::of(&parts.join("\0"));
        }
        let done: Vec<&str> = self
            .statements
            .iter()
            .take(count)
            .map(|it| it.sql.as_str())
            .collect();
        Checksum::of(&done.join("\0"))
    }

    /// A half-done run of this file may be carried on: what ran of it stands unchanged. What has not
    /// begun may be changed at will, into a batch too.
    pub fn continues(&self, statement: usize, done: &Checksum) -> bool {
        let ranges = self.batch.is_some() && self.done_checksum(1) == *done;
        self.done_checksum(statement) == *done || (statement == 0 && (ranges || *done == Checksum::of("")))
    }
}

/// All migrations of both scopes, ordered by scope and version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrationSet {
    pub shared: Vec<Migration>,
    pub tenant: Vec<Migration>,
}

impl MigrationSet {
    pub fn of(&self, scope: Scope) -> &[Migration] {
        match scope {
            Scope::Shared => &self.shared,
            Scope::Tenant => &self.tenant,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Migration> {
        self.shared.iter().chain(&self.tenant)
    }

    /// What evidence is about: the same for the same change whatever the commit. Each part is
    /// preceded by its length, so that no two sets can be written alike.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(b"tenantgate migration set 1");
        for migration in self.iter() {
            part(migration.scope.as_str().as_bytes());
            part(&migration.version.0.to_be_bytes());
            part(migration.name.as_bytes());
            part(migration.sql.as_bytes());
        }
        Digest(hexed(hash))
    }
}

impl Checksum {
    pub fn of(normalised: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(normalised.as_bytes());
        Self(hexed(hash))
    }
}

fn hexed(hash: Sha256) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
