//! One request on its way through GitHub's doors: who asks, may they, how often; and how answers
//! are put together.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::openapi;
use super::state::{Level, State, user};

/// What a route needs to answer. An `Err` is an answer as well: a refusal.
pub struct Call<'a> {
    pub state: &'a mut State,
    pub request: &'a Request,
    /// The API's base URL.
    pub api: String,
    /// Where people look.
    pub server: String,
    pub token: String,
    /// Who the token acts as.
    pub login: String,
    /// The decoded path, segment by segment.
    pub segments: Vec<String>,
}

pub type Reply = Result<Answer, Answer>;

pub fn refusal(status: u16, message: &str) -> Answer {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.to_string(),
    });
    Answer::json(status, &body)
}

pub fn not_found() -> Answer {
    refusal(404, "Not Found")
}

/// GitHub's 422 for a field.
pub fn invalid(resource: &str, field: &str, message: &str) -> Answer {
    let error = json!({ "resource": resource, "code": "custom", "field": field, "message": message });
    let body = json!({
        "message": "Validation Failed",
        "errors": [error],
        "documentation_url": "https://docs.github.com/rest",
        "status": "422",
    });
    Answer::json(422, &body)
}

impl Call<'_> {
    /// The segment of the path, from 0.
    pub fn segment(&self, index: usize) -> &str {
        &self.segments[index]
    }

    pub fn number(&self, index: usize) -> Result<u64, Answer> {
        self.segments[index].parse().map_err(|_| not_found())
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> Option<String> {
        self.request.body[name].as_str().map(str::to_owned)
    }

    /// No longer than GitHub takes.
    pub fn limited(&self, name: &str, resource: &str, limit: usize) -> Result<Option<String>, Answer> {
        let text = self.text(name);
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if length > limit {
            let message = format!("{name} is too long (maximum is {limit} characters)");
            return Err(invalid(resource, name, &message));
        }
        Ok(text)
    }

    /// The token must have one of these, written as GitHub does: `issues=write; pull_requests=write`.
    pub fn permit(&self, accepted: &str) -> Result<(), Answer> {
        let has = self.state.tokens[&self.token].permissions;
        let granted = accepted.split("; ").any(|one| {
            let (name, level) = one.split_once('=').unwrap();
            let wanted = if level == "write" {
                Level::Write
            } else {
                Level::Read
            };
            has.level(name) >= wanted
        });
        if granted {
            return Ok(());
        }
        let answer = refusal(403, "Resource not accessible by integration");
        Err(answer.with("X-Accepted-GitHub-Permissions", accepted))
    }

    /// The secondary limit on what makes content.
    pub fn count_creation(&mut self) -> Result<(), Answer> {
        let now = self.state.now();
        let (minute, hour) = self.state.content_limits;
        let token = self.state.tokens.get_mut(&self.token).unwrap();
        let since = |seconds| now - SignedDuration::from_secs(seconds);
        token.created.retain(|at| *at > since(3600));
        let last_minute = token.created.iter().filter(|at| **at > since(60)).count();
        if last_minute >= minute || token.created.len() >= hour {
            let message = "You have exceeded a secondary rate limit and have been temporarily blocked from \
                           content creation. Please retry your request again later.";
            return Err(refusal(403, message).with("Retry-After", 60));
        }
        token.created.push(now);
        Ok(())
    }

    // --- answers ---

    pub fn repo_url(&self) -> String {
        format!("{}/repos/{}", self.api, self.state.repository)
    }

    pub fn html_url(&self) -> String {
        format!("{}/{}", self.server, self.state.repository)
    }

    /// GitHub's example for this kind of answer, moved to this repository, with values over it.
    pub fn render(&self, template: &str, over: Value) -> Value {
        let mut value = self.localised(openapi::template(template));
        overlay(&mut value, over);
        value
    }

    pub fn localised(&self, example: Value) -> Value {
        let mut text = example.to_string();
        for repository in ["octocat/Hello-World", "octocat/example", "github/hello-world"] {
            text = text.replace(repository, &self.state.repository);
        }
        let text = text
            .replace("https://api.github.com", &self.api)
            .replace("https://github.com", &self.server);
        serde_json::from_str(&text).unwrap()
    }

    pub fn user(&self, login: &str) -> Value {
        user(login)
    }

    /// The asked page of a list, with its Link header; `key`: the list is a member of an object.
    pub fn page(&self, items: Vec<Value>, key: Option<&str>) -> Answer {
        self.page_of(items, key, 100)
    }

    /// With at most so many a page, whatever is asked for.
    pub fn page_of(&self, items: Vec<Value>, key: Option<&str>, most: usize) -> Answer {
        let number = |name| {
            self.request
                .query(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let size = number("per_page")
            .filter(|size| *size > 0)
            .unwrap_or(30)
            .min(most);
        let page = number("page").unwrap_or(1).max(1);
        let total = items.len();
        let last = total.div_ceil(size).max(1);
        let shown: Vec<_> = items.into_iter().skip((page - 1) * size).take(size).collect();
        let body = match key {
            Some(key) => json!({ "total_count": total, key: shown }),
            None => Value::Array(shown),
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push(self.link((page - 1).min(last), "prev"));
        }
        if page < last {
            links.push(self.link(page + 1, "next"));
            links.push(self.link(last, "last"));
        }
        if page > 1 {
            links.push(self.link(1, "first"));
        }
        let answer = Answer::json(200, &body);
        if links.is_empty() {
            answer
        } else {
            answer.with("Link", links.join(", "))
        }
    }

    fn link(&self, page: usize, relation: &str) -> String {
        let others = self.request.query.iter().filter(|(name, _)| name != "page");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("page", &page.to_string())
            .finish();
        format!("<{}{}?{query}>; rel=\"{relation}\"", self.api, self.request.path)
    }
}

/// Members of objects one by one; everything else whole.
pub fn overlay(value: &mut Value, over: Value) {
    match (value, over) {
        (Value::Object(members), Value::Object(over)) => {
            for (name, part) in over {
                overlay(members.entry(name).or_insert(Value::Null), part);
            }
        }
        (value, over) => *value = over,
    }
}

/// Who asks: the token's name, or the refusal.
pub fn authenticate(state: &State, request: &Request) -> Result<String, Answer> {
    if request.header("user-agent").is_none_or(str::is_empty) {
        let message = "Request forbidden by administrative rules. Please make sure your request has a \
                       User-Agent header";
        return Err(Answer::text(403, "text/html", message));
    }
    let Some(header) = request.header("authorization") else {
        return Err(refusal(401, "Requires authentication"));
    };
    let (scheme, token) = header.split_once(' ').unwrap_or_default();
    let known = ["bearer", "token"].contains(&scheme.to_ascii_lowercase().as_str());
    if known && state.tokens.contains_key(token) {
        return Ok(token.to_owned());
    }
    Err(refusal(401, "Bad credentials"))
}

/// The primary limit: counts this request, or refuses it.
pub fn count_request(state: &mut State, token: &str) -> Result<(), Answer> {
    let now = state.now();
    let token = state.tokens.get_mut(token).unwrap();
    if now >= token.reset {
        token.remaining = token.limit;
        token.reset = now + SignedDuration::from_secs(3600);
    }
    if token.remaining == 0 {
        return Err(refusal(403, "API rate limit exceeded for installation ID 4711."));
    }
    token.remaining -= 1;
    Ok(())
}

/// The headers that all answers have.
pub fn dress(answer: Answer, state: &State, token: Option<&str>) -> Answer {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now(state));
    let answer = answer
        .with("Date", date.unwrap())
        .with("Server", "github.com")
        .with("X-GitHub-Media-Type", "github.v3; format=json")
        .with("X-GitHub-Request-Id", "C0DE:1234:5678:9ABC:65A0F1F2");
    let Some(token) = token.and_then(|token| state.tokens.get(token)) else {
        return answer;
    };
    answer
        .with("X-RateLimit-Limit", token.limit)
        .with("X-RateLimit-Remaining", token.remaining)
        .with("X-RateLimit-Used", token.limit.saturating_sub(token.remaining))
        .with("X-RateLimit-Reset", token.reset.as_second())
        .with("X-RateLimit-Resource", "core")
}

fn now(state: &State) -> Timestamp {
    state.now()
}
