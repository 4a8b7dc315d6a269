//! The line that GitHub does not show: whose comment it is, and what it remembers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::state::State;

/// Raised when a reader of the old form would misunderstand the new one.
const VERSION: u32 = 1;

/// Base64, whose alphabet cannot end an HTML comment.
pub(super) fn render(project: &str, state: &State) -> String {
    let json = serde_json::to_vec(state).unwrap_or_default();
    format!("{}v{VERSION} {} -->\n", prefix(project), STANDARD.encode(json))
}

fn prefix(project: &str) -> String {
    format!("<!-- tenantgate {} ", STANDARD.encode(project))
}

/// Outer None: not this project's comment. Inner None: it is, and cannot be read.
#[expect(clippy::option_option, reason = "two different questions")]
pub(super) fn find(body: &str, project: &str) -> Option<Option<State>> {
    let rest = body.trim_start().strip_prefix(&prefix(project))?;
    Some(read(rest))
}

fn read(rest: &str) -> Option<State> {
    let (held, _) = rest.split_once(" -->")?;
    let encoded = held.strip_prefix(&format!("v{VERSION} "))?;
    let json = STANDARD.decode(encoded.trim()).ok()?;
    serde_json::from_slice(&json).ok()
}
