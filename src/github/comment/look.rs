//! Finding our own comments among all of a pull request.

use serde_json::Value;

use crate::github::Client;
use crate::github::identity::Identity;
use crate::report::comment::Comment;

use super::CommentError;

/// An issue holds at most 2,500 comments; a server of one's own may be set to more.
const PAGES: usize = 50;
const PAGE: usize = 100;

/// A comment of ours, as it was when it was looked at.
#[derive(Debug, Clone)]
pub(super) struct Mine {
    pub(super) id: u64,
    pub(super) url: String,
    pub(super) body: String,
    /// More pages had to be fetched after the one that it is on.
    pub(super) may_be_stale: bool,
}

impl Mine {
    pub(super) fn of(comment: &Value) -> Option<Self> {
        let text = |key| comment.get(key).and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            id: comment.get("id")?.as_u64()?,
            url: text("html_url").to_owned(),
            body: text("body").to_owned(),
            may_be_stale: false,
        })
    }
}

/// Ours on all pages, the oldest first.
pub(super) async fn mine(
    client: &Client,
    number: u64,
    identity: &Identity,
    project: &str,
) -> Result<Vec<Mine>, CommentError> {
    let route = client.repo(&format!("/issues/{number}/comments"));
    let listed = client.list(&route, None, PAGES).await;
    let (comments, more) = listed.map_err(|error| CommentError::of(number, error))?;
    let mut mine: Vec<Mine> = comments
        .iter()
        .filter(|comment| identity.wrote(comment))
        .filter_map(Mine::of)
        .filter(|comment| Comment::is_ours(&comment.body, project))
        .collect();
    if more && mine.is_empty() {
        return Err(CommentError::TooMany { number });
    }
    for mine in &mut mine {
        mine.may_be_stale = comments.len() > PAGE;
    }
    mine.sort_unstable_by_key(|comment| comment.id);
    Ok(mine)
}
