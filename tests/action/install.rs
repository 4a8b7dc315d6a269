//! How the action comes by its program: download, checksum, cache, and every way in which that fails.

use std::fs;

use super::mirror::{Release, TARGET, Trouble, VERSION, executable, sha256};
use super::step::{Ended, STUB, Step};

/// What the script calls apart from bash's own.
const PROGRAMS: [&str; 15] = [
    "bash", "sed", "tr", "awk", "mkdir", "mktemp", "find", "rm", "mv", "chmod", "dirname", "cat", "env",
    "gzip", "sleep",
];

fn stub_release() -> Release {
    Release::of(STUB.as_bytes())
}

fn is_empty(step: &Step<'_>, folder: &str) -> bool {
    let Ok(mut entries) = fs::read_dir(step.job.path().join(folder)) else {
        return true;
    };
    entries.next().is_none()
}

/// Neither the program nor a half of it.
fn assert_nothing_kept(step: &Step<'_>) {
    assert!(!step.stub_ran());
    assert!(is_empty(step, &format!("cache/tenantgate/{VERSION}/{TARGET}")));
}

#[test]
fn it_is_downloaded_once_and_then_found_in_the_cache() {
    let release = stub_release();
    let step = Step::new(&release);
    step.run().assert_code(0);
    assert_eq!(release.requests(), [format!("/{}", Release::file_name())]);
    assert!(step.cached().exists());
    let kept = fs::read_dir(step.cached().parent().unwrap()).unwrap().count();
    assert_eq!(kept, 1, "staging is gone");

    let second = step.run();
    assert!(second.assert_code(0).stdout.contains("stub ran"));
    assert!(release.requests().is_empty());
}

#[test]
fn another_archive_is_refused_before_it_is_unpacked() {
    let release = stub_release();
    release.trouble(Trouble::Altered);
    let mut step = Step::new(&release);
    step.shadow("tar", "#!/bin/sh\n: >\"$STUB_FOLDER/tar-ran\"\nexit 1\n");
    step.run().assert_refused(
        3,
        &[
            "title=tenantgate: checksum mismatch",
            &release.url,
            "was not unpacked",
        ],
    );
    assert!(!step.job.path().join("stub/tar-ran").exists());
    assert_nothing_kept(&step);
    assert_eq!(step.outputs(), "exit-code=3\n");
}

#[test]
fn another_program_in_the_right_archive_is_refused() {
    let release = stub_release();
    let list = fs::read_to_string(release.checksums()).unwrap();
    let other = list.replace(&sha256(STUB.as_bytes()), &sha256(b"another"));
    fs::write(release.checksums(), other).unwrap();
    let step = Step::new(&release);
    step.run()
        .assert_refused(3, &["checksum mismatch", "please report"]);
    assert_nothing_kept(&step);
}

#[test]
fn a_poisoned_cache_is_noticed_and_mended() {
    let release = stub_release();
    let step = Step::new(&release);
    executable(&step.cached(), b"#!/bin/sh\necho poison\n");
    let ended = step.run();
    ended.assert_code(0);
    assert!(!ended.stdout.contains("poison"), "{ended:#?}");
    assert!(
        ended.stdout.contains("::warning title=tenantgate: cache::"),
        "{ended:#?}"
    );
    assert_eq!(fs::read(step.cached()).unwrap(), STUB.as_bytes());
    assert_eq!(release.requests().len(), 1);
}

#[test]
fn a_download_that_dies_half_way_leaves_nothing() {
    let release = stub_release();
    release.trouble(Trouble::Half);
    let step = Step::new(&release);
    step.run().assert_refused(3, &["download failed", "curl: (18)"]);
    assert_nothing_kept(&step);
    release.trouble(None);
    step.run().assert_code(0);
}

#[test]
fn a_busy_server_is_asked_again_and_redirects_are_followed() {
    let release = stub_release();
    release.trouble(Trouble::BusyOnce);
    Step::new(&release).run().assert_code(0);
    assert_eq!(release.requests().len(), 2);

    release.trouble(Trouble::Moved);
    Step::new(&release).run().assert_code(0);
    let moved = format!("/moved/{}", Release::file_name());
    assert_eq!(release.requests().last(), Some(&moved));
}

#[test]
fn what_is_not_there_is_said_with_the_way_out() {
    let release = stub_release();
    release.trouble(Trouble::NotFound);
    let step = Step::new(&release);
    step.run()
        .assert_refused(3, &["download failed", "404", "download-url", "binary-path"]);
    assert_nothing_kept(&step);

    let mut step = Step::new(&release);
    step.with("download-url", "http://somebody:hunter2@127.0.0.1:9/x");
    let ended = step.run();
    ended.assert_refused(3, &["download failed", "http://127.0.0.1:9/x"]);
    assert!(!format!("{ended:?}").contains("hunter2"), "{ended:#?}");
}

#[test]
fn two_jobs_on_one_machine_do_not_disturb_each_other() {
    let release = stub_release();
    let step = Step::new(&release);
    let jobs: Vec<_> = (0..8).map(|_| step.spawn()).collect();
    for job in jobs {
        Ended::of(job.wait_with_output().unwrap()).assert_code(0);
    }
    assert_eq!(fs::read(step.cached()).unwrap(), STUB.as_bytes());
    assert_eq!(fs::read_dir(step.cached().parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn what_a_killed_job_left_is_removed_after_an_hour() {
    let release = stub_release();
    let step = Step::new(&release);
    let folder = step.cached().parent().unwrap().to_owned();
    for (name, age) in [("staging.old", "2 hours ago"), ("staging.new", "now")] {
        fs::create_dir_all(folder.join(name)).unwrap();
        let status = std::process::Command::new("touch")
            .args(["-d", age])
            .arg(folder.join(name))
            .status();
        assert!(status.unwrap().success());
    }
    step.run().assert_code(0);
    assert!(!folder.join("staging.old").exists());
    assert!(folder.join("staging.new").exists());
}

#[test]
fn the_actions_own_repository_is_asked_first() {
    let release = stub_release();
    let mut step = Step::new(&release);
    // A copy of the action on a GitHub Enterprise Server.
    step.with("download-url", "")
        .env("GITHUB_SERVER_URL", &release.url);
    step.run().assert_code(0);
    let path = format!(
        "/mirrored/tenantgate/releases/download/v{VERSION}/{}",
        Release::file_name()
    );
    assert_eq!(release.requests(), [path]);
}

#[test]
fn proxies_are_heeded() {
    let release = stub_release();
    let mut step = Step::new(&release);
    step.with("download-url", "http://mirror.invalid/files/")
        .env("http_proxy", &release.url);
    step.run().assert_code(0);
    assert_eq!(
        release.requests(),
        [format!("http://mirror.invalid/files/{}", Release::file_name())]
    );
}

#[test]
fn other_machines_are_told_what_to_do() {
    let release = stub_release();
    for (os, cpu) in [
        ("Linux", "ARM"),
        ("Windows2", "X64"),
        ("Linux", "RISCV64"),
        ("macOS", "X86"),
    ] {
        let mut step = Step::new(&release);
        step.env("RUNNER_OS", os).env("RUNNER_ARCH", cpu);
        step.run()
            .assert_refused(3, &["unsupported runner", os, cpu, "binary-path"]);
    }
    // Supported, but this release has none for it.
    let mut step = Step::new(&release);
    step.env("RUNNER_ARCH", "ARM64");
    step.run()
        .assert_refused(2, &["unknown version", VERSION, "aarch64-unknown-linux-musl"]);
    assert!(release.requests().is_empty());
}

#[test]
fn a_runner_that_does_not_say_what_it_is_is_asked() {
    let release = stub_release();
    let mut step = Step::new(&release);
    step.env("RUNNER_OS", "").env("RUNNER_ARCH", "");
    if cfg!(target_arch = "x86_64") {
        step.run().assert_code(0);
    }
    step.shadow(
        "uname",
        "#!/bin/sh\n[ \"$1\" = -s ] && echo FreeBSD || echo amd64\n",
    );
    step.run().assert_refused(3, &["FreeBSD on amd64"]);
}

#[test]
fn versions_are_taken_from_the_list_only() {
    let release = stub_release();
    let run = |version: &str| {
        let mut step = Step::new(&release);
        step.with("version", version);
        step.run()
    };
    run(VERSION).assert_code(0);
    run(&format!("v{VERSION}")).assert_code(0);
    release.requests();
    run("1.0.0").assert_refused(2, &["unknown version", "1.0.0"]);
    run("latest").assert_refused(2, &["wrong input", "latest", "1.2.3"]);
    run("../../x").assert_refused(2, &["wrong input"]);
    run("1.0.0-.*").assert_refused(2, &["wrong input"]);
    assert!(release.requests().is_empty());
}

#[test]
fn before_the_first_release_it_says_how_to_build() {
    let release = stub_release();
    fs::write(release.checksums(), "# none\nversion unreleased\n").unwrap();
    let step = Step::new(&release);
    step.run()
        .assert_refused(3, &["nothing released", "cargo build --release", "binary-path"]);
    assert!(release.requests().is_empty());
}

#[test]
fn a_program_that_is_there_is_used_as_it_is() {
    let release = stub_release();
    let mut step = Step::new(&release);
    step.with("binary-path", "tools/gate");
    step.run()
        .assert_refused(2, &["no program", "tools/gate", "no such file"]);

    fs::create_dir_all(step.workspace().join("tools/gate")).unwrap();
    step.run().assert_refused(2, &["no program", "not a file"]);

    fs::remove_dir(step.workspace().join("tools/gate")).unwrap();
    fs::write(step.workspace().join("tools/gate"), STUB).unwrap();
    step.run().assert_refused(2, &["no program", "chmod +x"]);

    executable(&step.workspace().join("tools/gate"), STUB.as_bytes());
    step.run().assert_code(0);
    assert!(release.requests().is_empty());
    assert!(is_empty(&step, "cache"));

    step.with("version", VERSION);
    step.run()
        .assert_refused(2, &["version and binary-path exclude one another"]);
}

#[test]
fn a_program_that_is_there_needs_no_network_and_no_tools() {
    let release = stub_release();
    let mut step = Step::new(&release);
    executable(&step.workspace().join("gate"), STUB.as_bytes());
    step.with("binary-path", "gate")
        .only(&["bash", "dirname", "mktemp", "env", "ls"]);
    step.run().assert_code(0);
}

#[test]
fn missing_tools_are_named() {
    let release = stub_release();
    let mut step = Step::new(&release);
    step.only(&PROGRAMS);
    step.run()
        .assert_refused(3, &["no sha256", "sha256sum, shasum and openssl"]);

    let mut step = Step::new(&release);
    step.only(&PROGRAMS).only(&["sha256sum"]);
    step.run().assert_refused(3, &["no curl", "binary-path"]);
    assert!(release.requests().is_empty());

    let mut step = Step::new(&release);
    step.only(&PROGRAMS).only(&["curl", "tar", "openssl"]);
    step.run().assert_code(0);
}

#[test]
fn a_cache_that_cannot_be_written_is_replaced_by_the_jobs_own_folder() {
    let release = stub_release();
    let mut step = Step::new(&release);
    let file = step.job.path().join("a file");
    fs::write(&file, "").unwrap();
    step.env("RUNNER_TOOL_CACHE", file.to_str().unwrap());
    step.run().assert_code(0);
    assert!(
        step.job
            .path()
            .join(format!("temp/tenantgate/{VERSION}/{TARGET}/tenantgate"))
            .exists()
    );
}
