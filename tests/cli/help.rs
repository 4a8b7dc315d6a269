//! Help is the manual: it must be there for every command, and say what the exit codes mean.

use crate::harness::Project;

const COMMANDS: [&str; 14] = [
    "run", "check", "url", "plan", "migrate", "validate", "promote", "status", "matrix", "report", "relabel",
    "keygen", "init", "schema",
];

#[test]
fn every_command_explains_itself() {
    let project = Project::new();
    let all = project.tenantgate(&["--help"]);
    all.assert_code(0);
    for command in COMMANDS {
        assert!(all.stdout.contains(command), "{command}");
        let help = project.tenantgate(&[command, "--help"]);
        help.assert_code(0);
        for text in ["Usage: tenantgate", "Exit status:", "--config"] {
            assert!(help.stdout.contains(text), "{command}: {}", help.stdout);
        }
    }
    for text in ["could not find out", "nothing was touched", "the gate is blocked"] {
        assert!(all.stdout.contains(text), "{}", all.stdout);
    }
}

#[test]
fn usage_errors_are_exit_2_and_go_to_stderr() {
    let project = Project::new();
    for arguments in [
        &[] as &[&str],
        &["frobnicate"],
        &["run", "--frobnicate"],
        &["run", "--format", "yaml"],
        &["schema", "nothing"],
        &["report"],
    ] {
        let run = project.tenantgate(arguments);
        run.assert_code(2);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(
            run.stderr.contains("--help") || run.stderr.contains("Usage"),
            "{}",
            run.stderr
        );
    }
    project.tenantgate(&["--version"]).assert_code(0);
}
