//! What a store gives and takes.

use std::error::Error;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{Digest, EnvironmentName};

use super::{Evidence, Rejection, Signed};

/// All records of one environment, as far as they could be read.
#[derive(Debug, Default)]
pub struct Records {
    pub evidence: Vec<Record>,
    /// What lay there and is no evidence.
    pub rejected: Vec<Rejected>,
    /// There were more, older ones, and they were not looked at.
    pub cut_off: bool,
}

#[derive(Debug, Clone)]
pub struct Record {
    pub evidence: Evidence,
    pub signed: Signed,
    /// Where it is, for people.
    pub place: String,
    pub state: State,
    /// Where the store itself numbers what comes to it, whatever the clocks of those who write say.
    pub number: Option<u64>,
}

/// What the store itself says about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Complete,
    /// The run ended before it said what came of it.
    Unfinished,
    /// The record says passed, and the store that it failed.
    Contradicted,
}

#[derive(Debug, Clone)]
pub struct Rejected {
    pub place: String,
    pub why: Rejection,
    /// As far as can be seen it is about the migration set that was asked for.
    pub of_this_set: bool,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub environment: &'a EnvironmentName,
    pub digest: &'a Digest,
    /// Since when it has passed matters too, not only that it did.
    pub history: bool,
}

/// Where evidence is kept.
#[async_trait]
pub trait EvidenceStore: Send + Sync {
    async fn read(&self, wanted: &Wanted<'_>) -> Result<Records, StoreError>;

    /// What time it is there: by a clock that is looked after, where the store has one.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Adds a record; says where it is.
    async fn write(&self, evidence: &Evidence) -> Result<String, StoreError>;

    /// A run whose record cannot be kept is blocked. Not so where a service that may be down keeps it:
    /// the work on the database is done all the same.
    fn must_take(&self) -> bool;
}

#[derive(Debug, thiserror::Error)]
#[error("cannot {action} evidence in {place}: {source}")]
pub struct StoreError {
    pub action: &'static str,
    pub place: String,
    pub source: Box<dyn Error + Send + Sync>,
    pub hint: Option<String>,
}
