//! What can go wrong on purpose.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::http::{Answer, Request};

/// Something that goes wrong for the next requests that match.
///
/// ```ignore
/// fake.fault(Fault::status(502).on("POST", "issues/*/comments").after_work());
/// fake.fault(Fault::status(503).on("GET", "").times(3));
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) method: String,
    pub(super) route: String,
    pub(super) times: usize,
    /// The request is carried out, and only its answer goes wrong.
    pub(super) works: bool,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Answer(Answer),
    /// Half of the JSON, as if it were all.
    Truncated,
    /// Half of the promised bytes, then the connection's end.
    BrokenOff,
    /// The body a byte a second.
    SlowLoris,
    /// TCP reset.
    Reset,
    /// Nothing, until the client leaves.
    Silence,
    /// The right answer with another header.
    Header(String, String),
    /// The right answer, late.
    Late(Duration),
    /// The right answer with another body.
    Body(Vec<u8>),
}

impl Fault {
    fn new(kind: Kind, works: bool) -> Self {
        Self {
            method: String::new(),
            route: String::new(),
            times: 1,
            works,
            kind,
        }
    }

    /// An error of GitHub's, as JSON; before the work is done unless [`Fault::after_work`].
    pub fn status(status: u16) -> Self {
        let message = match status {
            500 => "Server Error",
            502 | 503 => "We couldn't respond to your request in time. Sorry about that.",
            _ => "Forbidden",
        };
        let body =
            serde_json::json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
        Self::new(Kind::Answer(Answer::json(status, &body)), false)
    }

    /// A secondary rate limit, with `retry-after` where seconds are given.
    pub fn rate_limited(status: u16, retry_after: Option<u64>) -> Self {
        let body = serde_json::json!({
            "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
        });
        let mut answer = Answer::json(status, &body);
        if let Some(seconds) = retry_after {
            answer = answer.with("Retry-After", seconds);
        }
        Self::new(Kind::Answer(answer), false)
    }

    /// A page for people.
    pub fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head><body>Sorry</body></html>";
        Self::new(
            Kind::Answer(Answer::text(status, "text/html; charset=utf-8", page)),
            false,
        )
    }

    /// To a path, or to the URL of another host.
    pub fn redirect(status: u16, to: &str) -> Self {
        let body = serde_json::json!({ "message": "Moved Permanently", "url": to });
        Self::new(
            Kind::Answer(Answer::json(status, &body).with("Location", to)),
            false,
        )
    }

    pub fn truncated() -> Self {
        Self::new(Kind::Truncated, true)
    }

    pub fn broken_off() -> Self {
        Self::new(Kind::BrokenOff, true)
    }

    pub fn slow_loris() -> Self {
        Self::new(Kind::SlowLoris, true)
    }

    pub fn late(by: Duration) -> Self {
        Self::new(Kind::Late(by), true)
    }

    pub fn garbage_link() -> Self {
        let link = "<<<not a url>; rel=\"next, </>; rel=";
        Self::new(Kind::Header("Link".to_owned(), link.to_owned()), true)
    }

    /// The right answer with another header.
    pub fn header(name: &str, value: &str) -> Self {
        Self::new(Kind::Header(name.to_owned(), value.to_owned()), true)
    }

    /// The right status and headers with another body.
    pub fn body(body: &[u8]) -> Self {
        Self::new(Kind::Body(body.to_vec()), true)
    }

    /// Before the work is done unless [`Fault::after_work`].
    pub fn reset() -> Self {
        Self::new(Kind::Reset, false)
    }

    /// Before the work is done unless [`Fault::after_work`].
    pub fn silence() -> Self {
        Self::new(Kind::Silence, false)
    }

    /// Which requests: a method (empty: any) and the path's end, where `*` is one segment (empty: any).
    pub fn on(mut self, method: &str, route: &str) -> Self {
        method.clone_into(&mut self.method);
        route.trim_matches('/').clone_into(&mut self.route);
        self
    }

    /// For so many requests; one unless told.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    pub fn for_ever(self) -> Self {
        self.times(usize::MAX)
    }

    /// The work is done, and the client is not told.
    pub fn after_work(mut self) -> Self {
        self.works = true;
        self
    }

    pub(super) fn matches(&self, request: &Request) -> bool {
        (self.method.is_empty() || self.method == request.method) && path_ends(&request.path, &self.route)
    }
}

/// `pattern` is the end of a path; `*` stands for one segment.
pub(super) fn path_ends(path: &str, pattern: &str) -> bool {
    let mut segments = path.rsplit('/');
    let mut wanted = pattern.rsplit('/').filter(|segment| !segment.is_empty());
    wanted.all(|wanted| {
        segments
            .next()
            .is_some_and(|segment| wanted == "*" || wanted == segment)
    })
}

/// Sends an answer as the fault wants it; false: the connection is over.
pub(super) fn send(kind: &Kind, answer: Option<Answer>, stream: &mut TcpStream, stop: &AtomicBool) -> bool {
    let answer = answer.unwrap_or_else(|| Answer::json(500, &serde_json::Value::Null));
    match kind {
        Kind::Answer(other) => other.write(stream).is_ok(),
        Kind::Truncated => {
            let mut cut = answer;
            cut.body.truncate(cut.body.len() / 2);
            cut.write(stream).is_ok()
        }
        Kind::BrokenOff => {
            let head = answer.head(answer.body.len());
            drop(stream.write_all(head.as_bytes()));
            drop(stream.write_all(&answer.body[..answer.body.len() / 2]));
            false
        }
        Kind::SlowLoris => {
            drop(stream.write_all(answer.head(answer.body.len()).as_bytes()));
            for byte in &answer.body {
                if stream.write_all(&[*byte]).is_err() || !pause(Duration::from_secs(1), stop) {
                    break;
                }
            }
            false
        }
        Kind::Reset => {
            let socket = socket2::SockRef::from(&*stream);
            drop(socket.set_linger(Some(Duration::ZERO)));
            false
        }
        Kind::Silence => {
            let mut rest = Vec::new();
            drop(super::http::read_request(stream, &mut rest, stop));
            false
        }
        Kind::Header(name, value) => answer.with(name, value).write(stream).is_ok(),
        Kind::Late(by) => pause(*by, stop) && answer.write(stream).is_ok(),
        Kind::Body(body) => {
            let body = body.clone();
            Answer { body, ..answer }.write(stream).is_ok()
        }
    }
}

/// False: the fake was stopped meanwhile.
fn pause(length: Duration, stop: &AtomicBool) -> bool {
    let end = std::time::Instant::now() + length;
    while std::time::Instant::now() < end {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
