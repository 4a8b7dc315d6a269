//! What came back: an answer that can be used, or what is wrong with it.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;

use super::transport::Transport;
use super::{GithubError, Request};

/// GitHub's messages are a sentence; what is longer is something else's page.
const LONGEST_MESSAGE: usize = 300;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Refusals become errors.
    pub(super) fn checked(self, request: Request<'_>, transport: &Transport) -> Result<Self, GithubError> {
        let (method, route) = (request.method, request.route.to_owned());
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let message = one_line(&transport.redact(&self.message()));
        if self.is_rate_limit() {
            return Err(GithubError::RateLimited {
                method,
                route,
                status: self.status,
                message,
                wait: self.wait(),
            });
        }
        Err(GithubError::Refused {
            method,
            route,
            status: self.status,
            message,
            permissions: self.header("x-accepted-github-permissions").map(one_line),
        })
    }

    pub(super) fn json(self, method: &'static str, route: &str) -> Result<Value, GithubError> {
        if self.status == 204 {
            return Ok(Value::Null);
        }
        let unreadable = |message: String| GithubError::Unreadable {
            method,
            route: route.to_owned(),
            message,
        };
        let content_type = self.header("content-type").unwrap_or_default();
        if !content_type.contains("json") {
            let message = format!("the answer is not JSON but {:?}", one_line(content_type));
            return Err(unreadable(message));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let length = self.body.len();
            if length == 0 {
                return unreadable("the answer is empty".to_owned());
            }
            if error.is_eof() {
                return unreadable(format!(
                    "the answer's JSON ends in its middle, after {length} bytes"
                ));
            }
            unreadable(format!("the answer is no JSON: {error}"))
        })
    }

    /// Where a redirect leads.
    pub(super) fn redirect(&self) -> Option<String> {
        let redirects = matches!(self.status, 301 | 302 | 303 | 307 | 308);
        let location = self.header("location").unwrap_or_default();
        redirects.then(|| location.to_owned())
    }

    pub(super) fn has_next_page(&self) -> bool {
        self.header("link")
            .is_some_and(|link| link.contains("rel=\"next\""))
    }

    /// Seconds that the sender's clock is ahead of ours.
    pub(super) fn clock_skew(&self) -> Option<i64> {
        let date = self.date()?;
        Some(date.as_second() - Timestamp::now().as_second())
    }

    fn date(&self) -> Option<Timestamp> {
        http_date(self.header("date")?)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn seconds(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    /// 403 is also a lack of permission: only with one of these signs is it a limit.
    /// <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>
    fn is_rate_limit(&self) -> bool {
        let signs = self.header("retry-after").is_some()
            || self.seconds("x-ratelimit-remaining") == Some(0)
            || self.message().to_ascii_lowercase().contains("rate limit");
        self.status == 429 || (self.status == 403 && signs)
    }

    /// How long GitHub wants to be left alone, where it says so.
    fn wait(&self) -> Option<Duration> {
        // GitHub's own clock, so that ours does not matter.
        let now = self.date().unwrap_or_else(Timestamp::now);
        let until = |then: i64| Duration::from_secs(u64::try_from(then - now.as_second()).unwrap_or(0));
        if let Some(text) = self.header("retry-after") {
            let seconds = text.trim().parse().ok().map(Duration::from_secs);
            return seconds.or_else(|| http_date(text).map(|date| until(date.as_second())));
        }
        if self.seconds("x-ratelimit-remaining") != Some(0) {
            return None;
        }
        let reset = i64::try_from(self.seconds("x-ratelimit-reset")?).ok()?;
        // The second of the reset is not over yet.
        Some(until(reset) + Duration::from_secs(1))
    }

    /// GitHub's own words, with what it says of single fields.
    fn message(&self) -> String {
        let Ok(body) = serde_json::from_slice::<Value>(&self.body) else {
            return match self.header("content-type") {
                Some(kind) if kind.contains("html") => "an HTML page, no message".to_owned(),
                _ => "no message".to_owned(),
            };
        };
        let message = body["message"].as_str().unwrap_or("no message").to_owned();
        let errors = body["errors"].as_array().into_iter().flatten();
        let details = errors.filter_map(|error| {
            let text = error.as_str().or_else(|| error["message"].as_str());
            let field = || {
                Some(format!(
                    "{} {}",
                    error["field"].as_str()?,
                    error["code"].as_str()?
                ))
            };
            text.map(str::to_owned).or_else(field)
        });
        let details: Vec<_> = details.collect();
        if details.is_empty() {
            return message;
        }
        format!("{message}: {}", details.join("; "))
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// Fit to stand in a message of ours.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .collect();
    let line = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
