//! What the written workflows do where it counts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::repository::{init, repository};
use crate::harness::Project;

fn written() -> Project {
    let project = repository(&["main", "develop", "uat"]);
    init(&project, &[]);
    project
}

/// The lines of a job, from its id to the next one.
fn job(text: &str, id: &str) -> String {
    let begin = text.find(&format!("\n  {id}:\n")).expect("the job is there") + 1;
    let rest = &text[begin..];
    let lines = rest.lines().skip(1);
    let end = lines.take_while(|line| line.is_empty() || line.starts_with("   ") || line.starts_with("  #"));
    end.map(|line| format!("{line}\n")).collect()
}

/// The script of a job's last step.
fn script(job: &str) -> String {
    let (_, script) = job.rsplit_once("run: |\n").expect("a script");
    script
        .lines()
        .map(|line| format!("{}\n", line.trim_start_matches("          ")))
        .collect()
}

#[test]
fn the_required_check_is_never_skipped() {
    let project = written();
    for (environment, branch) in [("dev", "develop"), ("uat", "uat"), ("prod", "main")] {
        let text = project.read(&format!(".github/workflows/tenantgate-to-{environment}.yml"));
        let promote = job(&text, "promote");
        assert!(
            promote.contains(&format!("    name: tenantgate / promote to {environment}\n")),
            "{promote}"
        );
        assert!(promote.contains("    if: always()\n"), "{promote}");
        assert!(!promote.contains("secrets."), "a fork has none: {promote}");
        assert!(
            !text.contains("paths:") && !text.contains("paths-ignore:"),
            "{text}"
        );
        for event in ["pull_request:", "merge_group:"] {
            assert!(
                text.contains(&format!("  {event}\n    branches: [{branch}]\n")),
                "{text}"
            );
        }
        for event in ["push:", "pull_request_target", "workflow_dispatch"] {
            assert!(!text.contains(event), "{text}");
        }
    }
    let deploy = project.read(".github/workflows/tenantgate.yml");
    assert!(
        !deploy.contains("promote to"),
        "its jobs are skipped on other branches' pushes: {deploy}"
    );
}

#[test]
fn a_job_has_the_secrets_of_its_environment_only() {
    let deploy = written().read(".github/workflows/tenantgate.yml");
    for (environment, others) in [
        ("dev", ["UAT_", "PROD_"]),
        ("uat", ["DEV_", "PROD_"]),
        ("prod", ["DEV_", "UAT_"]),
    ] {
        let job = job(&deploy, environment);
        assert!(
            job.contains(&format!("    environment: {environment}\n")),
            "{job}"
        );
        assert!(job.contains("cancel-in-progress: false"), "{job}");
        assert!(others.iter().all(|other| !job.contains(other)), "{job}");
    }
}

#[test]
fn a_plan_that_failed_shuts_the_gate() {
    let text = written().read(".github/workflows/tenantgate-to-prod.yml");
    let script = script(&job(&text, "promote"));
    for (result, passes) in [
        ("success", true),
        ("skipped", true),
        ("failure", false),
        ("cancelled", false),
        ("", false),
    ] {
        let bash = Command::new("bash")
            .args(["-e", "-c", &script])
            .env("PLAN", result)
            .output()
            .unwrap();
        assert_eq!(bash.status.success(), passes, "{result:?}");
    }
}

#[test]
fn blocked_promotions_of_open_pull_requests_are_asked_again() {
    let text = written().read(".github/workflows/tenantgate.yml");
    let script = script(&job(&text, "again"));
    let folder = tempfile::tempdir().unwrap();
    let gh = folder.path().join("gh");
    let log = folder.path().join("log");
    fs::write(
        &gh,
        "#!/bin/sh\necho \"$*\" >>\"$LOG\"\ncase \"$1 $2\" in\n'pr list') printf 'aaa\\nbbb\\n' ;;\n'run list') printf \
         '11 aaa\\n12 gone\\n13 bbb\\n' ;;\n'run rerun') cat; [ \"$3\" != 11 ] ;;\nesac\n",
    )
    .unwrap();
    fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let bash = Command::new("bash")
        .args(["-e", "-c", &script])
        .env("PATH", path)
        .env("LOG", &log)
        // As the runner folds it: one of the two is empty.
        .env("WORKFLOWS", "tenantgate-to-uat.yml ")
        .output()
        .unwrap();
    assert!(bash.status.success(), "{bash:?}");
    let calls = fs::read_to_string(&log).unwrap();
    let reruns: Vec<&str> = calls
        .lines()
        .filter(|line| line.starts_with("run rerun"))
        .collect();
    assert_eq!(reruns, ["run rerun 11 --failed", "run rerun 13 --failed"]);
    assert!(
        calls.contains("--workflow tenantgate-to-uat.yml --status failure"),
        "{calls}"
    );
    let warning = String::from_utf8_lossy(&bash.stdout);
    assert!(
        warning.contains("::warning::run 11 could not be started again"),
        "{warning}"
    );
}
