//! The questions that a DATABASE_URL is asked, and how an answer "no" is collected.

use crate::domain::CheckDefinition;

pub const PLACEHOLDER: CheckDefinition = CheckDefinition {
    id: "url.placeholder",
    title: "the database URL is a value, not a placeholder for one",
};
pub const PASTED: CheckDefinition = CheckDefinition {
    id: "url.pasted",
    title: "nothing was pasted around or into the database URL",
};
pub const SCHEME: CheckDefinition = CheckDefinition {
    id: "url.scheme",
    title: "the database URL names an engine that is supported",
};
pub const UNENCODED_PASSWORD: CheckDefinition = CheckDefinition {
    id: "url.unencoded-password",
    title: "user and password are percent-encoded",
};
pub const ENCODING: CheckDefinition = CheckDefinition {
    id: "url.encoding",
    title: "the rest of the database URL is percent-encoded as every reader demands",
};
pub const HOST: CheckDefinition = CheckDefinition {
    id: "url.host",
    title: "the database URL says which server it means",
};
pub const PORT: CheckDefinition = CheckDefinition {
    id: "url.port",
    title: "the port is a number from 1 to 65535",
};
pub const DATABASE: CheckDefinition = CheckDefinition {
    id: "url.database",
    title: "the database URL names one database",
};
pub const PARAMETER: CheckDefinition = CheckDefinition {
    id: "url.parameter",
    title: "the parameters of the database URL are well-formed, and none says something twice",
};
pub const TLS: CheckDefinition = CheckDefinition {
    id: "url.tls",
    title: "the TLS mode is given at most once, and is one that exists",
};
/// Asked by the caller, who knows the other environments: see [`super::same_database`].
pub const SAME_DATABASE: CheckDefinition = CheckDefinition {
    id: "url.same-database",
    title: "the database is not another environment's",
};

/// All checks of this area.
pub const CHECKS: &[CheckDefinition] = &[
    PLACEHOLDER,
    PASTED,
    SCHEME,
    UNENCODED_PASSWORD,
    ENCODING,
    HOST,
    PORT,
    DATABASE,
    PARAMETER,
    TLS,
    SAME_DATABASE,
];

/// One reason why a value is refused. It never contains any part of the value that could be a user, a
/// password or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub check: &'static CheckDefinition,
    /// A lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Problems in the order in which they were met, each once.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(
        &mut self,
        check: &'static CheckDefinition,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let problem = Problem {
            check,
            message: message.into(),
            hint: Some(hint.into()),
        };
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
