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
#[error("--action-ref is not `SHA`, `v1` or `owner/repository@SHA`")]
pub(crate) struct NotARef;

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
            return Err(NotARef);
        }
        Ok(Self {
            repository: repository.to_owned(),
            reference: reference.to_owned(),
            version: None,
        })
    }

    /// Nobody said which commit it is.
    pub(crate) fn is_placeholder(&self) -> bool {
        self.reference == NO_COMMIT
    }

    /// A commit, which nobody can move to other code.
    pub(crate) fn is_commit(&self) -> bool {
        self.reference.len() == 40 && self.reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    pub(crate) fn repository(&self) -> String {
        let mut parts = self.repository.splitn(3, '/');
        let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        format!("{owner}/{name}")
    }
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
            assert_eq!(ActionRef::parse(text), Err(NotARef), "{text}");
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
