//! What a run in GitHub Actions leaves behind for others: the comment, the commit status, the check run,
//! the step's outputs.
//!
//! Nothing here changes a verdict. What GitHub does not take is a warning in the report.

mod outputs;
mod publisher;

use crate::domain::CheckDefinition;

pub use outputs::{of_failure as outputs_of_failure, outputs, render as render_outputs};
pub use publisher::{CHECK_RUN, COMMENT, Posted, Publisher, STATUS};

pub const CHECKS: &[CheckDefinition] = &[COMMENT, STATUS, CHECK_RUN];
