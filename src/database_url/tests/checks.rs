use super::*;

/// Of every check that [`parse`] asks: a URL that passes it, and one that only differs in failing it.
const CASES: &[(&CheckDefinition, &str, &str)] = &[
    (
        &PLACEHOLDER,
        "postgresql://u:Xy7kPq@h/d",
        "postgresql://u:changeme@h/d",
    ),
    (&PASTED, "postgresql://u:p@h/d", "'postgresql://u:p@h/d'"),
    (&SCHEME, "postgresql://u:p@h/d", "postgre://u:p@h/d"),
    (
        &UNENCODED_PASSWORD,
        "postgresql://u:p%40ss@h/d",
        "postgresql://u:p@ss@h/d",
    ),
    (&ENCODING, "postgresql://u:p@h/d%20e", "postgresql://u:p@h/d%zze"),
    (
        &HOST,
        "postgresql://u:p@[::1]:5432/d",
        "postgresql://u:p@::1:5432/d",
    ),
    (&PORT, "postgresql://u:p@h:5432/d", "postgresql://u:p@h:99999/d"),
    (&DATABASE, "postgresql://u:p@h/d", "postgresql://u:p@h/"),
    (
        &PARAMETER,
        "postgresql://u:p@h/d?connect_timeout=5",
        "postgresql://u:p@h/d?connect_timeout=five",
    ),
    (
        &TLS,
        "postgresql://u:p@h/d?sslmode=require",
        "postgresql://u:p@h/d?sslmode=required",
    ),
];

#[test]
fn each_check_passes_and_fails() {
    for (check, passing, failing) in CASES {
        good(passing);
        let problems = parse(failing).unwrap_err();
        let ids: Vec<_> = problems.iter().map(|problem| problem.check.id).collect();
        assert_eq!(ids, [check.id], "{failing}");
    }
    // The last one is asked by the caller.
    let (one, other) = (good("postgresql://u:p@h/d"), good("postgresql://u:p@h/e"));
    assert!(same_database(&one, &one));
    assert!(!same_database(&one, &other));
}

#[test]
fn the_list_is_complete_and_well_named() {
    let listed: Vec<_> = CHECKS.iter().map(|check| check.id).collect();
    let mut tried: Vec<_> = CASES.iter().map(|(check, ..)| check.id).collect();
    tried.push(SAME_DATABASE.id);
    assert_eq!(listed, tried);
    assert!(listed.iter().all(|id| {
        let plain = |c: char| c.is_ascii_lowercase() || c == '-';
        id.strip_prefix("url.")
            .is_some_and(|name| name.chars().all(plain))
    }));
}
