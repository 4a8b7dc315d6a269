//! A pair of keys: given where its parts may go, when one is made, then the private one goes nowhere else.

use std::process::Stdio;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tenantgate::domain::{PublicKey, SigningKey};

use crate::harness::Project;

/// The key in `public_keys = ["…"]`.
fn public(line: &str) -> PublicKey {
    let key = line.trim().strip_prefix("public_keys = [\"").unwrap();
    PublicKey::parse(key.strip_suffix("\"]").unwrap()).unwrap()
}

#[test]
fn stdout_is_the_secret_and_nothing_else() {
    let project = Project::new();
    let run = project.tenantgate(&["keygen"]);
    run.assert_code(0);
    let key = SigningKey::parse(&run.stdout).unwrap();
    assert_eq!(run.stdout, format!("{}\n", key.expose_line()));
    assert_eq!(public(run.stderr.lines().last().unwrap()), key.public);
    for form in key.secret_forms() {
        assert!(!run.stderr.contains(&form));
    }
    assert_ne!(project.tenantgate(&["keygen"]).stdout, run.stdout);
}

#[test]
fn a_file_is_new_and_its_owners_alone() {
    let project = Project::new();
    let run = project.tenantgate(&["keygen", "--out", "key"]);
    run.assert_code(0);
    let key = SigningKey::parse(&project.read("key")).unwrap();
    assert_eq!(public(&run.stdout), key.public);
    for form in key.secret_forms() {
        assert!(!run.stdout.contains(&form) && !run.stderr.contains(&form));
    }
    let mode = fs::metadata(project.path("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let again = project.tenantgate(&["keygen", "--out", "key"]);
    again.assert_code(2);
    assert!(again.stderr.contains("`key` exists already"), "{}", again.stderr);
    assert_eq!(project.read("key"), format!("{}\n", key.expose_line()));
    let nowhere = project.tenantgate(&["keygen", "--out", "no/such/folder/key"]);
    nowhere.assert_code(3);
    assert!(
        nowhere.stderr.contains("cannot write the key"),
        "{}",
        nowhere.stderr
    );
}

#[test]
fn a_workflows_log_does_not_get_it() {
    let mut project = Project::new();
    project.env("GITHUB_ACTIONS", "true");
    let run = project.tenantgate(&["keygen"]);
    run.assert_code(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("workflow's log"), "{}", run.stderr);
    project.tenantgate(&["keygen", "--out", "key"]).assert_code(0);
}

/// Its public half would be put into the config, and the other one is nowhere.
#[test]
fn a_key_that_nobody_took_is_an_error() {
    let project = Project::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = std::fs::File::create("/dev/full").unwrap();
    for stdout in [Stdio::from(writer), Stdio::from(full)] {
        let (mut command, _) = project.command(&["keygen"]);
        let output = command.stdout(stdout).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(!stderr.contains("public_keys"), "{stderr}");
    }
}
