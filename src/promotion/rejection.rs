//! Why a record is no evidence, and what to do about it.

use crate::domain::EnvironmentName;
use crate::domain::words::clip;

/// What a record says about itself is shown no longer than this.
const LONGEST: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejection {
    #[error("it is not a DSSE envelope")]
    Envelope,
    #[error("its payload type is not in-toto's")]
    PayloadType,
    #[error("its payload is not base64")]
    Base64,
    #[error("its payload is not evidence of this form")]
    Statement,
    #[error("its predicate type is not tenantgate's")]
    PredicateType,
    #[error("it was written by a newer tenantgate (format {0})")]
    Newer(u32),
    #[error("it has no sha256 subject")]
    Subject,
    #[error("it cannot be read: {0}")]
    File(String),
    #[error("it is of environment {0}")]
    Environment(EnvironmentName),
    #[error("it is of repository {0}")]
    Repository(String),
    #[error("it is not signed")]
    Unsigned,
    #[error("it is signed by {0}, a key that the config does not know")]
    UnknownKey(String),
    #[error("it was altered after key {0} signed it")]
    Altered(String),
    #[error("{0} wrote it, who is not among `trusted_creators`")]
    Creator(String),
}

impl Rejection {
    /// It may have been a refusal, for all that can be seen: nobody chose that it cannot be read.
    pub fn hides_what_it_says(&self) -> bool {
        use Rejection::*;
        matches!(
            self,
            Envelope | PayloadType | Base64 | Statement | PredicateType | Newer(_) | Subject | File(_)
        )
    }

    pub fn hint(&self, after: &EnvironmentName) -> String {
        let again = format!("run `tenantgate run --environment {after}` again");
        match self {
            Self::Newer(_) => "update tenantgate here to the version that writes it there".to_owned(),
            Self::Unsigned => {
                format!("pass the secret TENANTGATE_SIGNING_KEY to {after}'s run, and {again}")
            }
            Self::UnknownKey(_) => format!(
                "was the key changed? Add its public key to `public_keys` in [promotion], or {again} with a key that \
                 is there"
            ),
            Self::Altered(_) => format!("find out who changed it; to go on, {again}"),
            Self::Creator(_) => format!(
                "{again} in a workflow; name the writer in `trusted_creators` of [promotion] only if it may vouch for \
                 {after}"
            ),
            Self::Environment(_) | Self::Repository(_) => format!("evidence does not move: {again}"),
            _ => format!("fetch the evidence again, or {again} and remove this record"),
        }
    }
}

/// What a record says, on one line of a bounded length.
pub(super) fn shown(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clip(&line, LONGEST)
}
