//! The event's payload, read without trust: any member may be missing, null, or of another type.

use serde_json::Value;

pub(super) struct Payload(Value);

impl Payload {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(Self(Value::Object(object))),
            Ok(_) => Err("the event's payload is not a JSON object".to_owned()),
            Err(error) => Err(format!("the event's payload is not JSON: {error}")),
        }
    }

    pub(super) fn empty() -> Self {
        Self(Value::Null)
    }

    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    pub(super) fn number(&self, path: &[&str]) -> Option<u64> {
        self.at(path)?.as_u64().filter(|number| *number > 0)
    }

    pub(super) fn is_true(&self, path: &[&str]) -> bool {
        self.at(path).and_then(Value::as_bool).unwrap_or(false)
    }

    /// It is there, and not null.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        self.at(path).is_some_and(|value| !value.is_null())
    }

    /// Those into this repository: a head branch may have pull requests into others too.
    pub(super) fn pull_requests_of(&self, kind: &str, repository: &str) -> Vec<u64> {
        let Some(Value::Array(listed)) = self.at(&[kind, "pull_requests"]) else {
            return Vec::new();
        };
        let end = format!("/repos/{repository}").to_ascii_lowercase();
        let ours = listed.iter().filter(|pull| {
            let base = pull.pointer("/base/repo/url").and_then(Value::as_str);
            base.is_none_or(|url| url.to_ascii_lowercase().ends_with(&end))
        });
        ours.filter_map(|pull| pull.get("number")?.as_u64()).collect()
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, key| value.get(key))
    }
}
