//! The one comment of a pull request: found, written, and kept the only one.
//!
//! GitHub has no write that fails when somebody else wrote in between. So every write is followed by
//! another look, and the work is done only when a look finds nothing left to do: one comment of ours, and
//! in it this run's row or a newer run's. Whoever writes over a row of another run is thus found out by
//! that run. A comment is ours by its author and its marker: see [`super::identity`].

mod error;
mod look;

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::{EnvironmentName, Report};
use crate::report::comment::{Comment, RunId, Update};

use super::identity::Identity;
use super::{Client, GithubError};

pub use error::CommentError;
use look::{Mine, mine};

pub use crate::report::comment::LIMIT_CHARS as LIMIT;

/// Between a write and the look that follows, at least; it is longer than a write of another run takes.
const PAUSE: Duration = Duration::from_secs(1);
/// Looks before it is given up.
const ROUNDS: u32 = 10;
/// Writes after which the text need not be the very same.
const WRITES: u32 = 4;
/// Changes whose answer may get lost before it is given up.
const LOST: u32 = 2;
/// Creations that may have been done, or not, before it is given up.
const CREATIONS: u32 = 3;

/// What the comment is about.
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a> {
    pub report: &'a Report,
    pub run: RunId,
    /// All of the config, in the order of promotion.
    pub environments: &'a [EnvironmentName],
    /// See [`LIMIT`].
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub number: u64,
    /// For people.
    pub url: String,
    pub how: How,
    /// Duplicates that were removed, or could not be.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Created,
    Updated,
    /// It said so already.
    Unchanged,
    /// A newer run of this environment has written.
    NewerStands,
}

/// Brings the pull request's comment up to this run.
pub async fn upsert(client: &Client, number: u64, posting: Posting<'_>) -> Result<Posted, CommentError> {
    upsert_at(client, number, posting, PAUSE).await
}

/// As [`upsert`], with another pause.
pub async fn upsert_at(
    client: &Client,
    number: u64,
    posting: Posting<'_>,
    pause: Duration,
) -> Result<Posted, CommentError> {
    let identity = Identity::of_token(client).await?;
    let mut desk = Desk {
        client,
        number,
        posting,
        pause,
        identity,
        created: None,
        creations: 0,
        writes: 0,
        lost: 0,
        how: How::Unchanged,
    };
    for _ in 0..ROUNDS {
        if let Some(posted) = desk.round().await? {
            return Ok(posted);
        }
    }
    Err(CommentError::Unsettled { number })
}

struct Desk<'a> {
    client: &'a Client,
    number: u64,
    posting: Posting<'a>,
    pause: Duration,
    identity: Identity,
    /// What GitHub said that it created: a list that does not show it yet is late.
    created: Option<u64>,
    creations: u32,
    writes: u32,
    lost: u32,
    how: How,
}

impl Desk<'_> {
    /// One look, and at most one write. None: look again.
    async fn round(&mut self) -> Result<Option<Posted>, CommentError> {
        let Posting {
            report,
            run,
            environments,
            limit,
        } = self.posting;
        let mine = self.look().await?;
        let Some((oldest, rest)) = mine.split_first() else {
            let mut comment = Comment::new(&report.project, environments);
            comment.update(report, run, environments);
            self.create(&comment.render(limit)).await?;
            return Ok(None);
        };
        let mut comment = self.merged(&mine);
        let update = comment.update(report, run, environments);
        let body = comment.render(limit);
        if !self.is_settled(oldest, rest, update, &body) {
            self.write(oldest, &body).await?;
            return Ok(None);
        }
        let how = match (self.how, update) {
            (How::Unchanged, Update::OlderRun) => How::NewerStands,
            (how, _) => how,
        };
        Ok(Some(Posted {
            number: self.number,
            url: oldest.url.clone(),
            how,
            notes: self.remove(rest).await,
        }))
    }

    /// The states of all of ours in one.
    fn merged(&self, mine: &[Mine]) -> Comment {
        let Posting {
            report, environments, ..
        } = self.posting;
        let parsed = mine
            .iter()
            .filter_map(|mine| Comment::parse(&mine.body, &report.project));
        let merged = parsed.reduce(|mut merged, other| {
            merged.absorb(other);
            merged
        });
        merged.unwrap_or_else(|| Comment::new(&report.project, environments))
    }

    /// Only the very text will do. After some writes it is enough that this run's word stands, lest a
    /// comment that others keep changing be written for ever.
    fn is_settled(&self, oldest: &Mine, rest: &[Mine], update: Update, body: &str) -> bool {
        let Posting {
            report, run, limit, ..
        } = self.posting;
        if same(&oldest.body, body) {
            return true;
        }
        let alone = self.merged(std::slice::from_ref(oldest));
        // What the duplicates know must stand in the one that stays before they go.
        let nothing_to_add = rest.is_empty() || {
            let all: Vec<Mine> = [oldest].into_iter().chain(rest).cloned().collect();
            alone.render(limit) == self.merged(&all).render(limit)
        };
        let ours_stands = match update {
            Update::OlderRun => true,
            Update::Written => self.writes >= WRITES && alone.holds(&report.environment, run),
        };
        ours_stands && nothing_to_add
    }

    async fn look(&mut self) -> Result<Vec<Mine>, CommentError> {
        let project = &self.posting.report.project;
        let mut found = mine(self.client, self.number, &self.identity, project).await?;
        let Some(id) = self.created else {
            return Ok(found);
        };
        if found.is_empty() {
            match self.client.get(&self.route(id)).await {
                Ok(comment) => found.extend(Mine::of(&comment)),
                Err(error) if error.status() == Some(404) => self.created = None,
                Err(error) => return Err(self.refused(error)),
            }
        }
        Ok(found)
    }

    async fn create(&mut self, body: &str) -> Result<(), CommentError> {
        let route = self.client.repo(&format!("/issues/{}/comments", self.number));
        self.creations += 1;
        match self.client.post(&route, &json!({ "body": body })).await {
            Ok(comment) => {
                self.created = comment.get("id").and_then(Value::as_u64);
                if let Some(author) = comment.get("user").and_then(Identity::of_user) {
                    self.identity = author;
                }
                self.how = How::Created;
                self.wait(1).await;
                Ok(())
            }
            // It may be there all the same: the next look tells.
            Err(error) if error.is_ambiguous() && self.creations < CREATIONS => {
                self.how = How::Created;
                self.wait(self.creations).await;
                Ok(())
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    async fn write(&mut self, oldest: &Mine, body: &str) -> Result<(), CommentError> {
        let route = self.route(oldest.id);
        if oldest.may_be_stale {
            // The list was long in coming: somebody may have written since.
            match self.client.get(&route).await {
                Ok(now) if Mine::of(&now).is_some_and(|now| now.body == oldest.body) => {}
                Ok(_) => return Ok(()),
                Err(error) if error.status() == Some(404) => return Ok(()),
                Err(error) => return Err(self.refused(error)),
            }
        }
        match self.client.patch(&route, &json!({ "body": body })).await {
            Ok(_) => {
                self.writes += 1;
                if self.how != How::Created {
                    self.how = How::Updated;
                }
                self.wait(1).await;
                Ok(())
            }
            // Removed meanwhile.
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) if error.is_ambiguous() && self.lost < LOST => {
                self.lost += 1;
                self.wait(self.lost).await;
                Ok(())
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// A run that wrote into one of these just now looks again, and misses its row.
    async fn remove(&self, duplicates: &[Mine]) -> Vec<String> {
        let mut notes = Vec::new();
        for duplicate in duplicates {
            notes.push(match self.client.delete(&self.route(duplicate.id)).await {
                Ok(()) => format!("a second comment of tenantgate was removed: {}", duplicate.url),
                Err(error) => format!(
                    "a second comment of tenantgate could not be removed ({}): {error}",
                    duplicate.url
                ),
            });
        }
        notes
    }

    fn route(&self, id: u64) -> String {
        self.client.repo(&format!("/issues/comments/{id}"))
    }

    fn refused(&self, error: GithubError) -> CommentError {
        CommentError::of(self.number, error)
    }

    /// Never two runs in step.
    async fn wait(&self, times: u32) {
        let longer = self.pause.mul_f64(1.0 + fastrand::f64());
        tokio::time::sleep(longer * times).await;
    }
}

/// Line ends are GitHub's to choose.
fn same(there: &str, ours: &str) -> bool {
    there.replace("\r\n", "\n").trim_end() == ours.trim_end()
}
