//! Checks and outcomes become the verdict. Pure, and closed unless every question was answered well.

use crate::domain::{Check, CheckStatus, Outcome, OutcomeState, Severity, Verdict};

/// Passed only where no check failed, none was left unasked, and no tenant was left behind.
pub fn verdict(checks: &[Check], outcomes: &[Outcome]) -> Verdict {
    let answered = |check: &Check| matches!(check.status, CheckStatus::Passed | CheckStatus::Warned);
    let behind = |outcome: &Outcome| matches!(outcome.state, OutcomeState::Failed | OutcomeState::NotReached);
    if checks.is_empty() || !checks.iter().all(answered) || outcomes.iter().any(behind) {
        Verdict::Blocked
    } else {
        Verdict::Passed
    }
}

/// True where all that blocks is what a server, the network or a permission kept us from finding out.
pub fn only_unanswered(checks: &[Check]) -> bool {
    let findings = checks.iter().flat_map(|check| &check.findings);
    let mut errors = findings
        .filter(|finding| finding.severity == Severity::Error)
        .peekable();
    errors.peek().is_some() && errors.all(|finding| finding.operational)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckDefinition, Finding};

    const ONE: CheckDefinition = CheckDefinition {
        id: "a.one",
        title: "one",
    };

    fn check(findings: Vec<Finding>) -> Check {
        Check::answered(&ONE, findings)
    }

    fn outcome(state: OutcomeState) -> Outcome {
        Outcome {
            tenant: None,
            server: None,
            state,
            applied: vec![],
            undone: Vec::new(),
            head: None,
            duration_ms: 0,
            retries: 0,
            rows: None,
            error: None,
        }
    }

    #[test]
    fn warnings_pass_and_errors_block() {
        assert_eq!(
            verdict(&[check(vec![Finding::warning("w")])], &[]),
            Verdict::Passed
        );
        assert_eq!(
            verdict(&[check(vec![Finding::error("e")])], &[]),
            Verdict::Blocked
        );
    }

    #[test]
    fn nothing_asked_and_something_skipped_block() {
        assert_eq!(verdict(&[], &[]), Verdict::Blocked);
        assert_eq!(
            verdict(&[check(vec![]), Check::skipped(&ONE)], &[]),
            Verdict::Blocked
        );
    }

    #[test]
    fn a_tenant_left_behind_blocks() {
        assert_eq!(
            verdict(&[check(vec![])], &[outcome(OutcomeState::NotReached)]),
            Verdict::Blocked
        );
        assert_eq!(
            verdict(&[check(vec![])], &[outcome(OutcomeState::Migrated)]),
            Verdict::Passed
        );
    }

    #[test]
    fn unanswered_only_where_nothing_was_found_wrong() {
        let unanswered = || check(vec![Finding::error("no answer").operational(true)]);
        assert!(only_unanswered(&[unanswered()]));
        assert!(!only_unanswered(&[
            unanswered(),
            check(vec![Finding::error("wrong")])
        ]));
        assert!(!only_unanswered(&[check(vec![])]));
    }
}
