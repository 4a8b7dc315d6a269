//! Why there is no comment.

use crate::github::GithubError;

#[derive(Debug, thiserror::Error)]
pub enum CommentError {
    #[error("pull request #{number} is locked, so it got no comment")]
    Locked { number: u64 },
    #[error("pull request #{number} got no comment, because the token may not write one: {source}")]
    MayNotWrite { number: u64, source: GithubError },
    #[error("there is no pull request #{number} that the token can see")]
    NotFound { number: u64 },
    #[error("pull request #{number} got no comment: it has too many to look for the earlier one")]
    TooMany { number: u64 },
    /// Other runs keep writing, or somebody removes what is written.
    #[error("the comment of pull request #{number} was changed again and again while it was written")]
    Unsettled { number: u64 },
    #[error(transparent)]
    Github(#[from] GithubError),
}

impl CommentError {
    /// What an answer of GitHub means for the comment.
    pub(super) fn of(number: u64, error: GithubError) -> Self {
        if matches!(error, GithubError::RateLimited { .. }) {
            return Self::Github(error);
        }
        let text = error.to_string().to_ascii_lowercase();
        match error.status() {
            Some(403) if text.contains("locked") => Self::Locked { number },
            Some(403) => Self::MayNotWrite {
                number,
                source: error,
            },
            Some(404 | 410) => Self::NotFound { number },
            _ => Self::Github(error),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Locked { .. } => Some("the step summary has the whole report; unlock the conversation".to_owned()),
            Self::MayNotWrite { source, .. } => Some(source.hint().unwrap_or_else(|| {
                "give the job `permissions: pull-requests: write`; a pull request from a fork or by Dependabot \
                 has a read-only token, and the step summary has the whole report"
                    .to_owned()
            })),
            Self::NotFound { .. } => {
                Some("a token that may not see pull requests is answered so too: `pull-requests: write`".to_owned())
            }
            Self::TooMany { .. } | Self::Unsettled { .. } => {
                Some("the step summary has the whole report".to_owned())
            }
            Self::Github(error) => error.hint(),
        }
    }
}
