//! The record that a run leaves: an in-toto statement in a DSSE envelope.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Checksum, Digest, EnvironmentName, Fingerprint, MigrationSet, Override, PublicKey, Scope, SigningKey,
    TenantCounts, Verdict, Version,
};

use crate::lint::Accepted;

use super::envelope::{Envelope, Signed};
use super::rejection::Rejection;

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The number of the format follows.
const PREDICATE_TYPES: &str = "https://tenantgate.dev/evidence/v";
const FORMAT: u32 = 1;

/// What one run of one environment shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub digest: Digest,
    pub predicate: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    pub project: String,
    /// `owner/name`, where the run knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    pub environment: EnvironmentName,
    pub verdict: Verdict,
    pub finished_at: Timestamp,
    pub tenants: TenantCounts,
    /// So that a later refusal can name what differs. Cut short where the store has little room: see
    /// [`Evidence::sealed_within`].
    pub migrations: Vec<RecordedMigration>,
    /// How many there were, where the list was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_count: Option<usize>,
    pub tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_attempt: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Present where the run set the promotion rules aside.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    /// Warnings of the lint that it passed with: the next environment does not warn of them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lint: Vec<Accepted>,
    /// Present where structures were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<RecordedSchema>,
    /// Present where this is no run but a rollback: it shuts what passed with anything that it took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
}

/// What an environment was, where its structures were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSchema {
    /// `PostgreSQL 15`: another one may write the same otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Fingerprint>,
    /// Of what most tenants were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Fingerprint>,
}

/// How far an environment, or a part of its tenants, was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    pub scope: Scope,
    /// Everything above it.
    pub to: Version,
}

impl RolledBack {
    /// Something of the set was taken back.
    pub fn concerns(&self, set: &MigrationSet) -> bool {
        set.of(self.scope).iter().any(|it| it.version > self.to)
    }
}

impl Predicate {
    pub fn migration_count(&self) -> usize {
        self.migration_count.unwrap_or(self.migrations.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordedMigration {
    pub scope: Scope,
    pub version: Version,
    pub name: String,
    /// Perhaps only its beginning.
    pub checksum: Checksum,
}

impl RecordedMigration {
    pub fn all(set: &MigrationSet) -> Vec<Self> {
        let record = |migration: &crate::domain::Migration| Self {
            scope: migration.scope,
            version: migration.version,
            name: migration.name.clone(),
            checksum: migration.checksum.clone(),
        };
        set.iter().map(record).collect()
    }

    pub fn label(&self) -> String {
        let name = super::rejection::shown(&self.name);
        format!("{}/{}_{name}.sql", self.scope, self.version)
    }

    /// The same content, as far as both tell.
    pub fn is_like(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.checksum.0, &other.checksum.0);
        let enough = ours.len().min(theirs.len()) >= SHORT;
        enough && (ours.starts_with(theirs.as_str()) || theirs.starts_with(ours.as_str()))
    }
}

/// `sha256:` and twelve digits: what differs is only named by it, the digest decides.
const SHORT: usize = 19;

#[derive(Serialize, Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Serialize, Deserialize)]
struct SubjectDigest {
    sha256: String,
}

/// What a store's text turned out to hold.
#[derive(Debug)]
pub struct Opened {
    pub evidence: Evidence,
    pub signed: Signed,
}

/// A text that is no evidence, and the digest that it claims to be about.
#[derive(Debug, PartialEq, Eq)]
pub struct Unopened {
    pub why: Rejection,
    pub claims: Option<Digest>,
}

impl From<Rejection> for Unopened {
    fn from(why: Rejection) -> Self {
        Self { why, claims: None }
    }
}

impl Evidence {
    pub fn seal(&self, key: Option<&SigningKey>) -> Result<Envelope, serde_json::Error> {
        let hex = self.digest.0.trim_start_matches("sha256:").to_owned();
        let statement = Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject {
                name: format!("{}/migrations", self.predicate.project),
                digest: SubjectDigest { sha256: hex },
            }],
            predicate_type: format!("{PREDICATE_TYPES}{FORMAT}"),
            predicate: serde_json::to_value(&self.predicate)?,
        };
        Ok(Envelope::seal(&serde_json::to_vec(&statement)?, key))
    }

    /// The same in at most so many bytes of JSON, where need be with less about each migration, or with
    /// their number alone.
    pub fn sealed_within(
        &self,
        limit: usize,
        key: Option<&SigningKey>,
    ) -> Result<Envelope, serde_json::Error> {
        let fits = |envelope: &Envelope| Ok(serde_json::to_vec(envelope)?.len() <= limit);
        let mut shorter = self.clone();
        let whole = shorter.seal(key)?;
        if fits(&whole)? {
            return Ok(whole);
        }
        // Without them the next environment warns again, which is no harm.
        shorter.predicate.lint.clear();
        for migration in &mut shorter.predicate.migrations {
            migration.checksum.0.truncate(SHORT);
        }
        let shortened = shorter.seal(key)?;
        if fits(&shortened)? {
            return Ok(shortened);
        }
        shorter.predicate.migration_count = Some(self.predicate.migration_count());
        shorter.predicate.migrations.clear();
        shorter.seal(key)
    }

    /// Where there are public keys, only what one of them signed is evidence.
    pub fn open(text: &str, keys: &[PublicKey]) -> Result<Opened, Unopened> {
        let envelope = Envelope::parse(text)?;
        let payload = envelope.open()?;
        let signed = envelope.verify(&payload, keys);
        let statement: Option<Statement> = serde_json::from_slice(&payload).ok();
        let claims = statement.as_ref().and_then(Statement::digest);
        let evidence = match signed {
            Err(why) => Err(why),
            Ok(signed) => statement
                .ok_or(Rejection::Statement)
                .and_then(Self::from_statement)
                .map(|evidence| Opened { evidence, signed }),
        };
        evidence.map_err(|why| Unopened { why, claims })
    }

    fn from_statement(statement: Statement) -> Result<Self, Rejection> {
        let format = statement.predicate_type.strip_prefix(PREDICATE_TYPES);
        let format: Option<u32> = format.and_then(|number| number.parse().ok());
        match format {
            Some(FORMAT) if statement.statement_type == STATEMENT_TYPE => {}
            Some(newer) if newer > FORMAT => return Err(Rejection::Newer(newer)),
            _ => return Err(Rejection::PredicateType),
        }
        let digest = statement.digest().ok_or(Rejection::Subject)?;
        let predicate = serde_json::from_value(statement.predicate).map_err(|_| Rejection::Statement)?;
        Ok(Self { digest, predicate })
    }
}

impl Statement {
    fn digest(&self) -> Option<Digest> {
        match &self.subject[..] {
            [subject] => Some(Digest(format!("sha256:{}", subject.digest.sha256))),
            _ => None,
        }
    }
}
