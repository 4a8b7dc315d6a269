//! The one way to GitHub's API.
//!
//! octocrab carries the requests; its own retries, redirects and timeouts are not built in. What is
//! sent again, and how long is waited for it, is said in [`patience`]; what may be sent where, in
//! [`address`].

mod address;
mod answer;
mod error;
mod patience;
#[cfg(test)]
mod tests;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::settings::Actions;

use address::Address;
use answer::Answer;
use patience::Budget;
use transport::Transport;

pub use error::GithubError;
pub use patience::Patience;

/// As many redirects as make sense for a repository that was moved twice.
const MOST_REDIRECTS: usize = 3;

/// GraphQL's route, which is not a REST route: see [`Address::join`].
const GRAPHQL: &str = "/graphql";

const UNKNOWN: i64 = i64::MIN;

/// Routes begin with `/` and are relative to the API's base URL. All answers are plain JSON values.
///
/// Clones share their patience: see [`Patience::waiting`]. A client lives in the tokio runtime of its first
/// request, and its connections end with it.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    pub repository: String,
}

struct Shared {
    address: Address,
    transport: Transport,
    budget: Budget,
    /// Seconds that GitHub's clock is ahead of ours.
    skew: AtomicI64,
}

/// One thing to ask for.
#[derive(Clone, Copy)]
struct Request<'a> {
    method: &'static str,
    route: &'a str,
    body: Option<&'a Value>,
}

impl Client {
    /// Nothing is sent yet.
    pub fn new(actions: &Actions) -> Result<Self, GithubError> {
        Self::with_patience(actions, Patience::default())
    }

    pub fn with_patience(actions: &Actions, patience: Patience) -> Result<Self, GithubError> {
        let token = actions.token.as_ref().ok_or(GithubError::NoToken)?;
        let address = Address::parse(&actions.api_url)?;
        address::check_repository(&actions.repository)?;
        let transport = Transport::new(&address, token, &actions.proxy)?;
        let shared = Shared {
            address,
            transport,
            budget: Budget::new(patience),
            skew: AtomicI64::new(UNKNOWN),
        };
        Ok(Self {
            shared: Arc::new(shared),
            repository: actions.repository.clone(),
        })
    }

    /// A route below `/repos/{owner}/{name}`.
    pub fn repo(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repository)
    }

    pub async fn get(&self, route: &str) -> Result<Value, GithubError> {
        self.shared.ask("GET", route, None).await?.json("GET", route)
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
            let paged = format!("{route}{sign}per_page=100&page={page}");
            let answer = self.shared.ask("GET", &paged, None).await?;
            // A page may be short though it is not the last. The link itself is not followed.
            let has_next = answer.has_next_page();
            let mut body = answer.json("GET", &paged)?;
            let list = match key {
                Some(key) => body.get_mut(key).map(Value::take).unwrap_or_default(),
                None => body,
            };
            let Value::Array(list) = list else {
                return Err(GithubError::Unreadable {
                    method: "GET",
                    route: paged,
                    message: "the answer is not a list".to_owned(),
                });
            };
            let is_last = list.len() < 100 && !has_next;
            items.extend(list);
            if is_last {
                return Ok((items, false));
            }
        }
        Ok((items, true))
    }

    /// Sent again only where nothing can have come of it: GitHub was not reached, or refused it for
    /// a rate limit. For all else see [`GithubError::is_ambiguous`].
    pub async fn post(&self, route: &str, body: &Value) -> Result<Value, GithubError> {
        let answer = self.shared.ask("POST", route, Some(body)).await?;
        answer.json("POST", route)
    }

    /// For what REST does not tell. Only the query is sent, and nothing changes by it.
    pub async fn graphql(&self, query: &str) -> Result<Value, GithubError> {
        self.post(GRAPHQL, &json!({ "query": query })).await
    }

    pub async fn patch(&self, route: &str, body: &Value) -> Result<Value, GithubError> {
        let answer = self.shared.ask("PATCH", route, Some(body)).await?;
        answer.json("PATCH", route)
    }

    /// Gone already is as good.
    pub async fn delete(&self, route: &str) -> Result<(), GithubError> {
        match self.shared.ask("DELETE", route, None).await {
            Err(error) if matches!(error.status(), Some(404 | 410)) => Ok(()),
            other => other.map(drop),
        }
    }

    /// How far GitHub's clock is ahead of ours, by its latest answer; to a second or so.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        let seconds = self.shared.skew.load(Ordering::Relaxed);
        (seconds != UNKNOWN).then(|| SignedDuration::from_secs(seconds))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut client = f.debug_struct("Client");
        client.field("api", &self.shared.address.to_string());
        client
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Asks until there is an answer to give, or no patience is left.
    async fn ask(
        &self,
        method: &'static str,
        route: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GithubError> {
        let request = Request { method, route, body };
        let mut tries = self.budget.tries();
        loop {
            let error = match self.follow(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match tries.pause_after(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(tries.last_word(error)),
            }
        }
    }

    /// Once, and after redirects, which are followed for reading and on the same host only: the token
    /// goes nowhere else.
    async fn follow(&self, request: Request<'_>) -> Result<Answer, GithubError> {
        let mut url = self.address.join(request.route);
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.once(request, &url).await?;
            let Some(location) = answer.redirect() else {
                return answer.checked(request, &self.transport);
            };
            let target = self.address.same_host(&url, &location);
            url = match target {
                Some(target) if request.method == "GET" => target,
                target => return Err(error::redirected(request, &location, target.is_some())),
            };
        }
        Err(error::redirected(request, &url, true))
    }

    async fn once(&self, request: Request<'_>, url: &str) -> Result<Answer, GithubError> {
        let timer = self.budget.timer();
        let sent = self.transport.send(request, url, timer.limit()).await;
        let answer = sent.map_err(|failure| {
            timer.charge();
            failure.into_error(request, &self.address)
        })?;
        if let Some(ahead) = answer.clock_skew() {
            self.skew.store(ahead, Ordering::Relaxed);
        }
        Ok(answer)
    }
}
