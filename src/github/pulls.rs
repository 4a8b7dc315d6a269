//! The pull requests that a commit belongs to.

use serde_json::Value;

use super::event::PullRequests;
use super::{Client, GithubError};

/// More than these get no comment.
const MOST: usize = 3;
/// A commit with a thousand pull requests is no reason to ask for ever.
const PAGES: usize = 10;

/// The pull requests to comment on, and what there is to say about the choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulls {
    pub numbers: Vec<u64>,
    pub notes: Vec<String>,
}

impl Pulls {
    fn none(why: impl Into<String>) -> Self {
        Self {
            numbers: Vec::new(),
            notes: vec![why.into()],
        }
    }
}

/// Asks GitHub only where the event does not say.
pub async fn find(client: &Client, pull_requests: &PullRequests) -> Result<Pulls, GithubError> {
    let commit = match pull_requests {
        PullRequests::Known(numbers) => return Ok(limited(numbers.clone(), "the event names")),
        PullRequests::None(why) => return Ok(Pulls::none(why)),
        PullRequests::LookUp { commit } => commit,
    };
    let route = client.repo(&format!("/commits/{commit}/pulls"));
    match client.list(&route, None, PAGES).await {
        Ok((listed, _)) => Ok(best(commit, &client.repository, &listed)),
        // "No commit found for SHA": it was pushed away meanwhile, or is another repository's.
        Err(error) if matches!(error.status(), Some(404 | 422)) => Ok(Pulls::none(format!(
            "GitHub does not know commit {}",
            short(commit)
        ))),
        Err(error) => Err(error),
    }
}

/// How a commit can belong to a pull request, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// The commit is what the pull request became when it was merged.
    Merged,
    /// The commit is the newest of an open pull request.
    OpenHead,
    /// The commit is somewhere in it.
    Contains,
}

/// Only those of the best class count: a merge into uat also contains what was merged into dev before.
fn best(commit: &str, repository: &str, listed: &[Value]) -> Pulls {
    let ours = listed.iter().filter(|pull| {
        let base = pull.pointer("/base/repo/full_name").and_then(Value::as_str);
        base.is_none_or(|base| base.eq_ignore_ascii_case(repository))
    });
    let mut found: Vec<(Class, u64)> = ours
        .filter_map(|pull| Some((class(commit, pull), pull.get("number")?.as_u64()?)))
        .collect();
    found.sort_unstable();
    found.dedup();
    let Some((best, _)) = found.first().copied() else {
        return Pulls::none(format!("no pull request has commit {}", short(commit)));
    };
    let numbers = found.into_iter().filter(|(class, _)| *class == best);
    let numbers = numbers.map(|(_, number)| number).collect();
    limited(numbers, &format!("commit {} belongs to", short(commit)))
}

fn class(commit: &str, pull: &Value) -> Class {
    let is = |pointer: &str| {
        let sha = pull.pointer(pointer).and_then(Value::as_str);
        sha.is_some_and(|sha| sha.eq_ignore_ascii_case(commit))
    };
    let merged = pull.get("merged_at").is_some_and(|at| !at.is_null());
    // Of an open pull request `merge_commit_sha` is GitHub's trial merge, which no branch has.
    if merged && is("/merge_commit_sha") {
        Class::Merged
    } else if pull.get("state").and_then(Value::as_str) == Some("open") && is("/head/sha") {
        Class::OpenHead
    } else {
        Class::Contains
    }
}

/// The newest are kept.
fn limited(mut numbers: Vec<u64>, who: &str) -> Pulls {
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.dedup();
    let all = numbers.len();
    numbers.truncate(MOST);
    let notes = match all {
        0 | 1 => Vec::new(),
        _ if all > MOST => vec![format!(
            "{who} {all} pull requests: only the newest {MOST} get the comment ({})",
            listed(&numbers)
        )],
        _ => vec![format!(
            "{who} {all} pull requests: all get the comment ({})",
            listed(&numbers)
        )],
    };
    Pulls { numbers, notes }
}

fn listed(numbers: &[u64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(|number| format!("#{number}")).collect();
    numbers.join(", ")
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMMIT: &str = "1234abc000000000000000000000000000000000";
    const OTHER: &str = "9999999999999999999999999999999999999999";

    fn merged(number: u64, merge: &str) -> Value {
        json!({ "number": number, "state": "closed", "merged_at": "2026-03-01T10:00:00Z",
            "merge_commit_sha": merge, "head": { "sha": OTHER }, "base": { "repo": { "full_name": "meats/central" } } })
    }

    fn open(number: u64, head: &str) -> Value {
        json!({ "number": number, "state": "open", "merged_at": null, "merge_commit_sha": COMMIT,
            "head": { "sha": head }, "base": { "repo": { "full_name": "Meats/Central" } } })
    }

    fn of(listed: &[Value]) -> Pulls {
        best(COMMIT, "meats/central", listed)
    }

    #[test]
    fn what_the_commit_merged_goes_before_what_is_open_before_the_rest() {
        let all = [
            merged(1, OTHER),
            open(2, COMMIT),
            merged(3, COMMIT),
            open(4, OTHER),
        ];
        assert_eq!(of(&all).numbers, [3]);
        assert_eq!(
            of(&[merged(1, OTHER), open(2, COMMIT), open(4, OTHER)]).numbers,
            [2]
        );
        assert_eq!(of(&[merged(1, OTHER), open(4, OTHER)]).numbers, [4, 1]);
    }

    #[test]
    fn several_of_the_best_class_are_all_told_up_to_three() {
        let pulls = of(&[open(2, COMMIT), open(5, COMMIT), merged(1, OTHER)]);
        assert_eq!(pulls.numbers, [5, 2]);
        assert_eq!(
            pulls.notes,
            ["commit 1234abc belongs to 2 pull requests: all get the comment (#5, #2)"]
        );
        let many: Vec<_> = (1..=7).map(|number| open(number, COMMIT)).collect();
        let pulls = of(&many);
        assert_eq!(pulls.numbers, [7, 6, 5]);
        assert_eq!(
            pulls.notes,
            ["commit 1234abc belongs to 7 pull requests: only the newest 3 get the comment (#7, #6, #5)"]
        );
    }

    #[test]
    fn no_pull_request_is_said() {
        assert_eq!(of(&[]).notes, ["no pull request has commit 1234abc"]);
        // One into another repository of the same network is nobody's business here.
        let mut foreign = open(2, COMMIT);
        foreign["base"]["repo"]["full_name"] = json!("bob/central");
        assert_eq!(
            of(&[foreign, json!("odd"), json!({})]).notes,
            ["no pull request has commit 1234abc"]
        );
    }
}
