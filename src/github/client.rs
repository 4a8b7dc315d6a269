//! The one way to GitHub's API.

use std::time::Duration;

use octocrab::Octocrab;
use serde_json::Value;

use crate::settings::Actions;

/// Why GitHub did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GithubError {
    #[error("there is no token for GitHub")]
    NoToken,
    #[error("GitHub answered {status} to {method} {route}: {message}")]
    Refused {
        method: &'static str,
        route: String,
        status: u16,
        message: String,
        /// `X-Accepted-GitHub-Permissions`: what the token would need.
        permissions: Option<String>,
    },
    #[error("GitHub could not be asked ({method} {route}): {message}")]
    Unanswered {
        method: &'static str,
        route: String,
        message: String,
    },
}

impl GithubError {
    /// The answer's status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        None
    }

    /// It may have been done all the same: to be looked at before it is tried again.
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Unanswered { method, .. } => *method != "GET",
            Self::Refused { method, status, .. } => *method != "GET" && *status >= 500,
            Self::NoToken => false,
        }
    }
}

/// Routes begin with `/` and are relative to the API's base URL. All answers are plain JSON values.
#[derive(Clone)]
pub struct Client {
    octocrab: Octocrab,
    pub repository: String,
}

impl Client {
    pub fn new(actions: &Actions) -> Result<Self, GithubError> {
        let token = actions.token.as_ref().ok_or(GithubError::NoToken)?;
        let octocrab = Octocrab::builder()
            .base_uri(actions.api_url.as_str())
            .map_err(|error| wrong("GET", "", &error))?
            .personal_token(token.expose().to_owned())
            .add_retry_config(octocrab::service::middleware::retry::RetryConfig::None)
            .set_connect_timeout(Some(Duration::from_secs(10)))
            .set_read_timeout(Some(Duration::from_secs(20)))
            .build()
            .map_err(|error| wrong("GET", "", &error))?;
        Ok(Self {
            octocrab,
            repository: actions.repository.clone(),
        })
    }

    /// A route below `/repos/{owner}/{name}`.
    pub fn repo(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repository)
    }

    pub async fn get(&self, route: &str) -> Result<Value, GithubError> {
        let answer: Result<Value, _> = self.octocrab.get(route, None::<&()>).await;
        answer.map_err(|error| wrong("GET", route, &error))
    }

    /// All pages of a route that answers with an array, or with an object whose member `key` is one.
    /// At most `pages` of 100 items; true: there were more.
    pub async fn list(
        &self,
        route: &str,
        key: Option<&str>,
        pages: usize,
    ) -> Result<(Vec<Value>, bool), GithubError> {
        let mut items = Vec::new();
        let sign = if route.contains('?') { '&' } else { '?' };
        for page in 1..=pages {
            let answer = self
                .get(&format!("{route}{sign}per_page=100&page={page}"))
                .await?;
            let page = match key {
                Some(key) => answer.get(key).cloned().unwrap_or_default(),
                None => answer,
            };
            let Value::Array(page) = page else {
                return Err(GithubError::Unanswered {
                    method: "GET",
                    route: route.to_owned(),
                    message: "the answer is not a list".to_owned(),
                });
            };
            let last = page.len() < 100;
            items.extend(page);
            if last {
                return Ok((items, false));
            }
        }
        Ok((items, true))
    }

    /// Never repeated by itself: see [`GithubError::is_ambiguous`].
    pub async fn post(&self, route: &str, body: &Value) -> Result<Value, GithubError> {
        let answer: Result<Value, _> = self.octocrab.post(route, Some(body)).await;
        answer.map_err(|error| wrong("POST", route, &error))
    }

    pub async fn patch(&self, route: &str, body: &Value) -> Result<Value, GithubError> {
        let answer: Result<Value, _> = self.octocrab.patch(route, Some(body)).await;
        answer.map_err(|error| wrong("PATCH", route, &error))
    }

    /// Gone already is as good.
    pub async fn delete(&self, route: &str) -> Result<(), GithubError> {
        let answer = self.octocrab._delete(route, None::<&()>).await;
        answer.map(drop).map_err(|error| wrong("DELETE", route, &error))
    }
}

fn wrong(method: &'static str, route: &str, error: &octocrab::Error) -> GithubError {
    if let octocrab::Error::GitHub { source, .. } = error {
        return GithubError::Refused {
            method,
            route: route.to_owned(),
            status: source.status_code.as_u16(),
            message: source.message.clone(),
            permissions: None,
        };
    }
    GithubError::Unanswered {
        method,
        route: route.to_owned(),
        message: error.to_string(),
    }
}
