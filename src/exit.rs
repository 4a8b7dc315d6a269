//! Every exit code, and the one map onto them.

use crate::domain::{Report, Verdict};

/// What the process tells its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Passed,
    /// The gate is blocked: the report says by what.
    Blocked,
    /// Usage or configuration is wrong: nothing was touched.
    Usage,
    /// Could not find out: a server, the network or a permission failed.
    Unanswered,
    /// A bug of ours.
    Bug,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Blocked => 1,
            Self::Usage => 2,
            Self::Unanswered => 3,
            Self::Bug => 70,
        }
    }

    /// Blocked by nothing but unanswered questions is unanswered.
    pub fn of(report: &Report) -> Self {
        match report.verdict {
            Verdict::Passed => Self::Passed,
            Verdict::Blocked if crate::gate::only_unanswered(&report.checks) => Self::Unanswered,
            Verdict::Blocked => Self::Blocked,
        }
    }
}
