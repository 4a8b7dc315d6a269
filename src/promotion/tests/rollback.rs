//! Given a rollback after a pass.

use super::*;

/// Whatever the set on disk was when it was rolled back.
#[test]
fn a_rollback_shuts_what_passed_before_it_and_a_new_pass_opens_again() {
    let (older, wider) = (set(&[(1, "a")]), set(&[(1, "a"), (2, "b"), (3, "c")]));
    let ours = set(&[(1, "a"), (2, "b")]);
    let rollback = |to: u64, hour| {
        let mut record = evidence(&wider, Verdict::Blocked, hour);
        record.predicate.rolled_back = Some(RolledBack {
            scope: Scope::Tenant,
            to: Version(to),
        });
        record
    };
    let pass = |hour| evidence(&ours, Verdict::Passed, hour);
    let refused = "promotion.evidence: uat was rolled back to tenant migration 0001 at 2023-11-15 00:13 UTC";
    assert_eq!(
        verdict(&ours, vec![pass(1), rollback(1, 2)], None, None),
        [refused]
    );
    assert!(verdict(&ours, vec![pass(1), rollback(2, 2)], None, None).is_empty());
    assert!(verdict(&ours, vec![pass(1), rollback(1, 2), pass(3)], None, None).is_empty());
    let old = evidence(&older, Verdict::Passed, 1);
    assert!(verdict(&older, vec![old, rollback(1, 2)], None, None).is_empty());
    // It has not stood since it first passed.
    let again = vec![pass(1), rollback(1, 2), pass(9)];
    assert_eq!(verdict(&ours, again, Some(5), None).len(), 1);
}
