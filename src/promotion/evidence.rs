//! The record that a run leaves: an in-toto statement in a DSSE envelope.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>,
//! <https://github.com/secure-systems-lab/dsse/blob/master/envelope.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Checksum, Digest, EnvironmentName, MigrationSet, Scope, TenantCounts, Verdict, Version};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://tenantgate.dev/evidence/v1";

/// What one run of one environment shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub digest: Digest,
    pub predicate: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    pub project: String,
    pub environment: EnvironmentName,
    pub verdict: Verdict,
    pub finished_at: Timestamp,
    pub tenants: TenantCounts,
    /// So that a later refusal can name what differs.
    pub migrations: Vec<RecordedMigration>,
    pub tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordedMigration {
    pub scope: Scope,
    pub version: Version,
    pub name: String,
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
        format!("{}/{}_{}.sql", self.scope, self.version, self.name)
    }
}

/// Why a record is none.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvidence {
    #[error("it is not a DSSE envelope")]
    Envelope(#[source] serde_json::Error),
    #[error("its payload type is not in-toto's")]
    PayloadType,
    #[error("its payload is not base64")]
    Base64,
    #[error("its payload is not evidence of this form")]
    Statement(#[source] serde_json::Error),
    #[error("its predicate type is not one that this version of tenantgate reads")]
    PredicateType,
    #[error("it has no sha256 subject")]
    Subject,
    #[error("it cannot be read: {0}")]
    File(#[source] std::io::Error),
    #[error("it is of environment {0}")]
    Environment(EnvironmentName),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<serde_json::Value>,
}

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

impl Evidence {
    /// The envelope as JSON. Not signed.
    pub fn to_envelope(&self) -> Result<String, serde_json::Error> {
        let hex = self.digest.0.trim_start_matches("sha256:").to_owned();
        let statement = Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject {
                name: format!("{}/migrations", self.predicate.project),
                digest: SubjectDigest { sha256: hex },
            }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: serde_json::to_value(&self.predicate)?,
        };
        let envelope = Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(serde_json::to_vec(&statement)?),
            signatures: Vec::new(),
        };
        serde_json::to_string_pretty(&envelope)
    }

    pub fn from_envelope(text: &str) -> Result<Self, UnreadableEvidence> {
        let envelope: Envelope = serde_json::from_str(text).map_err(UnreadableEvidence::Envelope)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(UnreadableEvidence::PayloadType);
        }
        let payload = STANDARD
            .decode(&envelope.payload)
            .map_err(|_| UnreadableEvidence::Base64)?;
        let statement: Statement = serde_json::from_slice(&payload).map_err(UnreadableEvidence::Statement)?;
        if statement.statement_type != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
            return Err(UnreadableEvidence::PredicateType);
        }
        let predicate: Predicate =
            serde_json::from_value(statement.predicate).map_err(UnreadableEvidence::Statement)?;
        let [subject] = &statement.subject[..] else {
            return Err(UnreadableEvidence::Subject);
        };
        Ok(Self {
            digest: Digest(format!("sha256:{}", subject.digest.sha256)),
            predicate,
        })
    }
}
