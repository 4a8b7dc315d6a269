//! What becomes of the action's inputs, and that the step ends as the program does.

use std::process::Command;
use std::time::{Duration, Instant};

use super::mirror::Release;
use super::step::{STUB, Step};

fn release() -> Release {
    Release::of(STUB.as_bytes())
}

/// Everything that a shell, the runner or the program could take for something else.
const HOSTILE: &str = "a'b\"c $(touch pwned) `touch pwned` ; touch pwned # ${HOME} * %0A \\ ::error::x";

#[test]
fn with_no_inputs_it_runs_the_gate() {
    let release = release();
    let step = Step::new(&release);
    step.run().assert_code(0);
    let arguments = step.arguments();
    assert_eq!(
        arguments[..3],
        ["run", "--config=tenantgate.toml", "--format=github"]
    );
    let report = arguments[3].strip_prefix("--report=").unwrap();
    assert!(
        report.starts_with(step.job.path().join("temp").to_str().unwrap()),
        "{report}"
    );
    assert_eq!(arguments.len(), 4);
    assert_eq!(
        step.outputs(),
        "verdict=passed\ntenants-migrated=2\nexit-code=0\n"
    );

    // A second step of the same job does not overwrite the first one's report.
    step.run().assert_code(0);
    assert_ne!(step.arguments()[3], arguments[3]);
}

#[test]
fn every_input_reaches_the_program() {
    let release = release();
    let mut step = Step::new(&release);
    std::fs::create_dir(step.workspace().join("back end")).unwrap();
    step.with("command", "migrate")
        .with("environment", "uat")
        .with("config", "gate.toml")
        .with("working-directory", "back end")
        .with("comment", "never")
        .with("status", "never")
        .with("check-run", "always")
        .with("evidence", "proof")
        .with("dry-run", "true")
        .with("override", "the bridge is out")
        .with("report", "out/report.json")
        .with("sarif", "out/findings.sarif")
        .with("format", "json")
        .with("args", "--tenant=acme\n\n--tenant=two words\n");
    step.run().assert_code(0);
    let folder = step.workspace().join("back end");
    assert_eq!(
        step.arguments(),
        [
            "migrate",
            "--config=gate.toml",
            "--format=json",
            &format!("--report={}/out/report.json", folder.display()),
            "--environment=uat",
            "--evidence=proof",
            "--sarif=out/findings.sarif",
            "--comment=never",
            "--status=never",
            "--check-run=always",
            "--override=the bridge is out",
            "--dry-run",
            "--tenant=acme",
            "--tenant=two words",
        ]
    );
    let seen = std::fs::read_to_string(step.job.path().join("stub/folder")).unwrap();
    assert_eq!(seen.trim_end(), folder.to_str().unwrap());
}

#[test]
fn commands_that_write_nothing_take_no_dry_run() {
    let release = release();
    for command in ["plan", "promote", "check"] {
        let mut step = Step::new(&release);
        step.with("command", command).with("dry-run", "true");
        step.run().assert_code(0);
        assert!(!step.arguments().contains(&"--dry-run".to_owned()));
    }
}

#[test]
fn there_is_nothing_to_override_where_nothing_is_let_in() {
    let release = release();
    let mut step = Step::new(&release);
    step.with("command", "promote").with("override", "because");
    step.run().assert_refused(2, &["override is for run and migrate"]);
}

#[test]
fn hostile_text_stays_text() {
    let release = release();
    let mut step = Step::new(&release);
    for input in [
        "environment",
        "config",
        "evidence",
        "override",
        "report",
        "sarif",
        "args",
    ] {
        step.with(input, HOSTILE);
    }
    step.with(
        "override",
        &format!("{HOSTILE}\nsecond line\n::set-output name=x::y"),
    );
    step.run().assert_code(0);
    let arguments = step.arguments();
    for argument in [
        format!("--environment={HOSTILE}"),
        format!("--config={HOSTILE}"),
        format!("--evidence={HOSTILE}"),
        format!("--override={HOSTILE}\nsecond line\n::set-output name=x::y"),
        format!("--sarif={HOSTILE}"),
        format!("--report={}/{HOSTILE}", step.workspace().display()),
        HOSTILE.to_owned(),
    ] {
        assert!(
            arguments.contains(&argument),
            "{argument:?} is not in {arguments:#?}"
        );
    }
    assert_eq!(arguments.len(), 9, "{arguments:#?}");
    assert!(!step.workspace().join("pwned").exists());
}

#[test]
fn hostile_text_in_an_input_with_a_form_is_refused_in_one_annotation() {
    let release = release();
    let hostile = format!("{HOSTILE}\n::set-output name=verdict::passed\r\nverdict=passed");
    for input in [
        "command",
        "environment",
        "config",
        "working-directory",
        "comment",
        "status",
        "check-run",
        "evidence",
        "dry-run",
        "report",
        "sarif",
        "format",
        "version",
        "binary-path",
        "download-url",
    ] {
        let mut step = Step::new(&release);
        step.with(input, &hostile);
        let ended = step.run();
        ended.assert_refused(2, &[input]);
        // All of it on the annotation's line, where the runner sees no second command.
        assert_eq!(ended.stdout.lines().count(), 1, "{ended:#?}");
        assert_eq!(ended.stderr, "");
        assert!(!step.stub_ran());
        assert!(!step.workspace().join("pwned").exists());
        assert_eq!(step.outputs(), "verdict=blocked\nexit-code=2\n");
    }
    assert!(release.requests().is_empty());
}

#[test]
fn hostile_paths_are_refused_in_one_annotation() {
    let release = release();
    for input in ["working-directory", "binary-path"] {
        let mut step = Step::new(&release);
        step.with(input, HOSTILE);
        let ended = step.run();
        ended.assert_refused(2, &["no "]);
        assert_eq!(
            ended.stdout.lines().filter(|line| line.starts_with("::")).count(),
            1
        );
        assert!(!step.workspace().join("pwned").exists());
    }
}

#[test]
fn extra_arguments_are_one_a_line() {
    let release = release();
    let run = |args: &str| {
        let mut step = Step::new(&release);
        step.with("args", args);
        let ended = step.run();
        (step, ended)
    };
    let (step, _) = run("--tenant\r\nacme\r\n*\n  indented $X\nlast");
    assert_eq!(
        step.arguments()[4..],
        ["--tenant", "acme", "*", "  indented $X", "last"]
    );
    for line in ["--tenant acme", "-e uat", "--tenant\tacme"] {
        run(line)
            .1
            .assert_refused(2, &["one argument per line", "--flag=value"]);
    }
    // A value may have spaces.
    let (step, _) = run("--tenant=two words\n--\n-x=a b");
    assert_eq!(step.arguments()[4..], ["--tenant=two words", "--", "-x=a b"]);
}

#[test]
fn the_step_exits_as_the_program_does() {
    let release = release();
    for code in [0, 1, 2, 3, 70] {
        let mut step = Step::new(&release);
        step.env("STUB_EXIT", &code.to_string());
        step.run().assert_code(code);
        assert!(step.outputs().ends_with(&format!("exit-code={code}\n")));
    }
}

/// The runner signals the process that it started, and that one alone.
#[test]
fn a_cancelled_job_reaches_the_program() {
    let release = release();
    let mut step = Step::new(&release);
    step.env("STUB_WAITS", "yes");
    let child = step.spawn();
    let end = Instant::now() + Duration::from_secs(20);
    while !step.job.path().join("stub/waiting").exists() {
        assert!(Instant::now() < end, "the program does not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(String::from_utf8_lossy(&output.stdout).contains("stub was told to stop"));
}

#[test]
fn the_token_is_a_variable_and_nothing_else() {
    let release = release();
    let mut step = Step::new(&release);
    step.with("github-token", "ghs_very_secret");
    let ended = step.run();
    ended.assert_code(0);
    assert_eq!(step.environment()["TENANTGATE_GITHUB_TOKEN"], "ghs_very_secret");
    assert!(!step.arguments().concat().contains("ghs_"));
    assert!(!format!("{ended:?}{}", step.outputs()).contains("ghs_"));

    let default = Step::new(&release);
    default.run().assert_code(0);
    assert_eq!(default.environment()["TENANTGATE_GITHUB_TOKEN"], "the-jobs-token");

    // An empty one is none, so that the program can fall back on what else the job has.
    step.with("github-token", "");
    step.run().assert_code(0);
    assert!(!step.environment().contains_key("TENANTGATE_GITHUB_TOKEN"));
}

#[test]
fn the_program_sees_the_jobs_variables_and_not_the_inputs() {
    let release = release();
    let mut step = Step::new(&release);
    step.env("UAT_DB_URL", "postgres://a:b c$(x)@h/d")
        .env("TENANTGATE_ENVIRONMENT", "uat");
    step.run().assert_code(0);
    let environment = step.environment();
    assert_eq!(environment["UAT_DB_URL"], "postgres://a:b c$(x)@h/d");
    assert_eq!(environment["TENANTGATE_ENVIRONMENT"], "uat");
    assert!(!step.arguments().concat().contains("--environment"));
    let inputs = environment
        .keys()
        .filter(|name| name.starts_with("TENANTGATE_INPUT_"));
    assert_eq!(inputs.count(), 0);
}

#[test]
fn what_nobody_foresaw_is_no_blocked_gate() {
    let release = release();
    let mut step = Step::new(&release);
    step.shadow("awk", "#!/bin/sh\nexit 1\n");
    step.run().assert_refused(70, &["bug in the action"]);
    assert!(!step.stub_ran());
}
