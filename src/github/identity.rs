//! Who the token is: whose comments are ours to change.
//!
//! A hidden marker alone proves nothing, because anybody can paste it. So a comment is ours only where
//! its author is the token's own account.
//!
//! GraphQL's `viewer` tells that account for every kind of token: of a person's it is the person, of an
//! installation's (GITHUB_TOKEN is one) the app's bot, and its `databaseId` is the `user.id` of REST.
//! REST's `GET /user` refuses installations. Where neither answers (a proxy that lets only REST through),
//! the token is taken for GITHUB_TOKEN's account, `github-actions[bot]`, a name that no person can have;
//! the answer to the first comment that is created then says who we are after all.

use serde_json::Value;

use super::{Client, GithubError};

const ACTIONS_BOT: &str = "github-actions[bot]";

/// An account of GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub id: Option<u64>,
    pub login: String,
}

impl Identity {
    /// Asks GitHub who the token is.
    pub(super) async fn of_token(client: &Client) -> Result<Self, GithubError> {
        match client.graphql("query { viewer { login databaseId } }").await {
            Ok(answer) => {
                if let Some(viewer) = answer.pointer("/data/viewer").and_then(Self::of_viewer) {
                    return Ok(viewer);
                }
            }
            // A bad token is bad everywhere.
            Err(error) if error.status() == Some(401) => return Err(error),
            Err(_) => {}
        }
        match client.get("/user").await {
            Ok(user) => Ok(Self::of_user(&user).unwrap_or_else(Self::actions_bot)),
            Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(Self::actions_bot()),
            Err(error) => Err(error),
        }
    }

    /// An account as REST tells it.
    pub(super) fn of_user(user: &Value) -> Option<Self> {
        Some(Self {
            id: user.get("id").and_then(Value::as_u64),
            login: user.get("login")?.as_str()?.to_owned(),
        })
    }

    fn of_viewer(viewer: &Value) -> Option<Self> {
        Some(Self {
            id: viewer.get("databaseId").and_then(Value::as_u64),
            login: viewer.get("login")?.as_str()?.to_owned(),
        })
    }

    fn actions_bot() -> Self {
        Self {
            id: None,
            login: ACTIONS_BOT.to_owned(),
        }
    }

    /// Numbers are for ever, logins can change hands: so the number decides where both are known.
    pub(super) fn wrote(&self, comment: &Value) -> bool {
        let Some(author) = comment.get("user").and_then(Self::of_user) else {
            return false;
        };
        match (self.id, author.id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.login.eq_ignore_ascii_case(&author.login),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn by(id: u64, login: &str) -> Value {
        json!({ "user": { "id": id, "login": login }, "body": "…" })
    }

    #[test]
    fn the_number_decides_and_else_the_whole_login() {
        let bot = Identity {
            id: Some(41_898_282),
            login: ACTIONS_BOT.into(),
        };
        assert!(bot.wrote(&by(41_898_282, "renamed[bot]")));
        assert!(!bot.wrote(&by(7, ACTIONS_BOT)));
        let unnumbered = Identity::actions_bot();
        assert!(unnumbered.wrote(&by(41_898_282, ACTIONS_BOT)));
        for login in ["github-actions", "github-actions[bot]x", "mallory"] {
            assert!(!unnumbered.wrote(&by(7, login)), "{login}");
        }
        assert!(!bot.wrote(&json!({ "user": null })), "a deleted account");
    }
}
