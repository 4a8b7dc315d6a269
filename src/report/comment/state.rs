//! What the comment remembers of each environment.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::RunId;
use crate::domain::{EnvironmentName, Override, Report, Verdict};
use crate::report::cause::{self, Conclusion};
use crate::report::clean;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// In the order of promotion.
    pub(super) environments: Vec<EnvironmentName>,
    pub(super) entries: Vec<Entry>,
}

/// What one run said about one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) environment: EnvironmentName,
    pub(super) command: String,
    pub(super) run: RunId,
    pub(super) verdict: Verdict,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) dry_run: bool,
    pub(super) finished: Timestamp,
    /// The short form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<String>,
    /// What the verdict rests on.
    pub(super) reason: String,
    /// As short as a table's cell wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "override")]
    pub(super) overridden: Option<Override>,
}

impl Entry {
    pub(super) fn of(report: &Report, run: RunId) -> Self {
        let short = |text: &str, chars| clean::line(&clean::clip(text, chars, 1));
        let took = SignedDuration::from_millis(report.duration_ms.try_into().unwrap_or(i64::MAX));
        let digest = report.migration_set.as_ref().map(|set| set.digest.short());
        Self {
            environment: report.environment.clone(),
            command: short(&report.command, 20),
            run,
            verdict: report.verdict,
            dry_run: report.dry_run,
            finished: report.started_at.checked_add(took).unwrap_or(report.started_at),
            digest: digest.map(|digest| short(digest, 12)),
            run_url: report.run_url.clone().filter(|url| url.len() <= 300),
            commit: report.commit.as_deref().map(|commit| short(commit, 64)),
            reason: cause::reason(report),
            by: cause::by(report).map(|by| short(&by, 80)),
            overridden: report.overridden.as_ref().map(|it| Override {
                actor: short(&it.actor, 60),
                reason: short(&it.reason, 200),
            }),
        }
    }

    pub(super) fn conclusion(&self) -> Conclusion {
        Conclusion::new(
            self.verdict,
            &self.command,
            self.dry_run,
            self.overridden.as_ref(),
        )
    }

    /// It answers all that the other commands would.
    pub(super) fn is_whole_gate(&self) -> bool {
        self.command == "run" && !self.dry_run
    }
}

impl State {
    /// The places of all entries: the newest run's first, in one run what blocks first.
    pub(super) fn by_importance(&self) -> Vec<usize> {
        let mut places: Vec<_> = (0..self.entries.len()).collect();
        places.sort_by_key(|&at| {
            let entry = &self.entries[at];
            let newest = std::cmp::Reverse((entry.run.id, entry.verdict == Verdict::Blocked));
            (newest, std::cmp::Reverse((entry.run.attempt, entry.finished)))
        });
        places
    }
}
