//! Which version of the action the workflows call.

use std::fmt;

/// Set by the release build: `tenantgate/tenantgate@<commit> v1.2.3`, of the release before it, since no
/// binary can know the commit that will have its own checksum.
const RELEASED: Option<&str> = option_env!("TENANTGATE_ACTION_REF");

const ACTION: &str = "tenantgate/tenantgate";
/// No commit has this name: GitHub refuses to start the job, so nobody runs by accident what was not pinned.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionRef {
    /// `owner/name` or a path in it.
    repository: String,
    reference: String,
    /// `v1.2.3`, for people and update bots.
    version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotARef {
    #[error("--action-ref is not `SHA`, `v1` or `owner/repository@SHA`")]
    Form,
    /// GitHub starts no job whose action is named by a part of a commit's digits.
    #[error("--action-ref `{0}` is {1} digits of a commit, and GitHub takes nothing but all 40")]
    Digits(String, usize),
}

impl ActionRef {
    /// The release that this build knows, or a placeholder.
    pub(crate) fn known() -> Self {
        let released = RELEASED.and_then(|text| {
            let (reference, version) = text.split_once(' ')?;
            let parsed = Self::parse(reference).ok()?;
            Some(Self {
                version: Some(version.to_owned()),
                ..parsed
            })
        });
        released.unwrap_or_else(|| Self {
            repository: ACTION.to_owned(),
            reference: NO_COMMIT.to_owned(),
            version: None,
        })
    }

    pub(crate) fn parse(text: &str) -> Result<Self, NotARef> {
        let (repository, reference) = text.split_once('@').unwrap_or((ACTION, text));
        let plain = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            !text.is_empty() && text.chars().all(fits) && !text.contains("..")
        };
        let owned = repository.split('/').count() >= 2 && repository.split('/').all(|part| !part.is_empty());
        if !plain(reference) || !plain(repository) || !owned {
            return Err(NotARef::Form);
        }
        if is_cut_commit(reference) {
            return Err(NotARef::Digits(reference.to_owned(), reference.len()));
        }
        Ok(Self {
            repository: repository.to_owned(),
            reference: reference.to_owned(),
            version: None,
        })
    }

    /// A commit, a tag or a branch.
    pub(crate) fn reference(&self) -> &str {
        &self.reference
    }

    /// What stands before the `@`.
    pub(crate) fn path(&self) -> &str {
        &self.repository
    }

    /// Nobody said which commit it is.
    pub(crate) fn is_placeholder(&self) -> bool {
        self.reference == NO_COMMIT
    }

    /// A commit, which nobody can move to other code.
    pub(crate) fn is_commit(&self) -> bool {
        self.reference.len() == 40 && is_hex(&self.reference)
    }

    pub(crate) fn repository(&self) -> String {
        let mut parts = self.repository.splitn(3, '/');
        let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        format!("{owner}/{name}")
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Git writes no commit with fewer than 7 digits; a tag that is called like this is a rarity.
fn is_cut_commit(reference: &str) -> bool {
    reference.len() >= 7 && reference.len() != 40 && is_hex(reference)
}

/// As it stands after `uses: `.
impl fmt::Display for ActionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.reference)?;
        match &self.version {
            Some(version) => write!(f, " # {version}"),
            None if self.is_placeholder() => f.write_str(" # PLACEHOLDER: put the release's commit here"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_commit_a_tag_and_a_fork_are_taken() {
        let commit = ActionRef::parse(COMMIT).expect("a commit");
        assert_eq!(commit.to_string(), format!("tenantgate/tenantgate@{COMMIT}"));
        assert!(commit.is_commit() && !commit.is_placeholder());
        let tag = ActionRef::parse("v1").expect("a tag");
        assert_eq!(tag.to_string(), "tenantgate/tenantgate@v1");
        assert!(!tag.is_commit());
        let fork = ActionRef::parse(&format!("acme/gate/sub@{COMMIT}")).expect("a fork");
        assert_eq!(fork.repository(), "acme/gate");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "@",
            "a@v1",
            "a/b@",
            "v1 # x",
            "a/b@${{ x }}",
            "a/../b@v1",
            "/b@v1",
            "a//b@v1",
        ] {
            assert_eq!(ActionRef::parse(text), Err(NotARef::Form), "{text}");
        }
    }

    #[test]
    fn a_cut_commit_is_refused() {
        for cut in ["0123456", "ABCDEF0123", &COMMIT[..39], &format!("{COMMIT}0")] {
            for text in [cut.to_owned(), format!("acme/gate@{cut}")] {
                let error = ActionRef::parse(&text).expect_err(&text);
                assert_eq!(error, NotARef::Digits(cut.to_owned(), cut.len()));
            }
        }
        for tag in ["v1", "v1.2.3", "2026", "release-0123456"] {
            assert!(!ActionRef::parse(tag).expect("a tag").is_commit());
        }
    }

    #[test]
    fn a_build_that_knows_no_release_says_so() {
        let known = ActionRef::known();
        if RELEASED.is_none() {
            assert!(known.is_placeholder() && known.is_commit());
            assert!(known.to_string().contains("PLACEHOLDER"));
        }
    }
}
