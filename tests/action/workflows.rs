//! This repository's own workflows, the scripts that they run, and the list of checksums.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::lint::assert_clean;
use super::mirror::{TARGET, VERSION, script, sha256};

const TARGETS: [&str; 5] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-musl",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What GitHub reads of this repository, without what lies around it.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let status = Command::new("cp")
        .arg("-r")
        .args([root().join("action.yml"), root().join(".github")])
        .arg(copy.path())
        .status();
    assert!(status.unwrap().success());
    copy
}

#[test]
fn the_linters_find_nothing() {
    assert_clean(copy().path());
}

#[test]
fn a_finding_that_is_ignored_has_a_reason() {
    for file in files(".github/workflows")
        .into_iter()
        .chain([root().join("action.yml")])
    {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.contains("zizmor: ignore")) {
            let reason = line.split_once(']').map(|(_, reason)| reason.trim());
            assert!(
                reason.is_some_and(|it| it.len() > 20),
                "{}: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn every_action_of_others_is_pinned_with_its_version() {
    let mut pins = BTreeMap::new();
    for file in files(".github/workflows") {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("uses: ")) {
            if line.starts_with("./") {
                continue;
            }
            let (action, rest) = line.split_once('@').unwrap();
            let (commit, version) = rest
                .split_once(" # v")
                .unwrap_or_else(|| panic!("no version: {line}"));
            assert!(
                commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit()),
                "{line}"
            );
            let pin = (commit.to_owned(), version.to_owned());
            let first = pins.entry(action.to_owned()).or_insert(pin.clone());
            assert_eq!(*first, pin, "{action} has two pins");
        }
    }
    assert!(pins.len() >= 5, "{pins:?}");
}

#[test]
fn no_input_is_read_by_a_shell() {
    for file in files(".github/workflows")
        .into_iter()
        .chain([root().join("action.yml")])
    {
        let text = fs::read_to_string(&file).unwrap();
        let mut run = None;
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            if run.is_some_and(|begin| indent <= begin && !line.trim().is_empty()) {
                run = None;
            }
            if line.trim_start().starts_with("run: ") {
                run = Some(indent);
            }
            assert!(
                run.is_none() || !line.contains("${{"),
                "{}: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn shellcheck_finds_nothing() {
    let mut scripts = files(".github/release");
    scripts.push(root().join("tests/run"));
    scripts.extend(files(".github/action").into_iter().filter(|path| {
        // install.sh is part of gate.sh, which is followed into it.
        path.extension().is_some_and(|it| it == "sh") && !path.ends_with("install.sh")
    }));
    let output = Command::new("shellcheck")
        .arg("-x")
        .args(&scripts)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// macOS has bash 3.2.
#[test]
fn the_action_uses_nothing_that_old_shells_lack() {
    let young = [
        "declare -A",
        "local -A",
        "mapfile",
        "readarray",
        "${!",
        "local -n",
        "declare -n",
        "coproc",
        "|&",
        "&>>",
        ",,}",
        "^^}",
        "@Q}",
        "wait -n",
        "EPOCH",
        "printf -v",
        "[-1]",
    ];
    for name in ["gate.sh", "install.sh"] {
        let text = fs::read_to_string(root().join(".github/action").join(name)).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for line in code {
            // `${!prefix@}` is as old as bash 2.
            let line = line.replace("${!TENANTGATE_INPUT_@}", "");
            let found = young.iter().find(|it| line.contains(**it));
            assert!(found.is_none(), "{name}: {found:?} in {line}");
        }
    }
}

#[test]
fn the_list_is_whole_or_says_that_there_is_none() {
    let text = fs::read_to_string(root().join(".github/action/checksums.txt")).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let version = lines[0].strip_prefix("version ").unwrap();
    if version == "unreleased" {
        assert_eq!(lines.len(), 1);
        return;
    }
    for target in TARGETS {
        let suffix = if target.contains("windows") { ".exe" } else { "" };
        let stem = format!("tenantgate-{version}-{target}");
        for file in [format!("{stem}.tar.gz"), format!("{stem}/tenantgate{suffix}")] {
            let line = lines.iter().find(|line| line.ends_with(&format!("  {file}")));
            let sum = line
                .unwrap_or_else(|| panic!("no line of {file}"))
                .split(' ')
                .next()
                .unwrap();
            assert!(
                sum.len() == 64 && sum.bytes().all(|it| it.is_ascii_hexdigit()),
                "{file}"
            );
        }
    }
}

#[test]
fn the_release_builds_what_the_action_knows() {
    let release = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let script = fs::read_to_string(root().join(".github/action/install.sh")).unwrap();
    for target in TARGETS {
        assert!(release.contains(&format!("- target: {target}\n")), "{target}");
        assert!(script.contains(&format!("target={target}")), "{target}");
    }
    assert_eq!(release.matches("- target: ").count(), TARGETS.len());
}

#[test]
fn the_list_of_a_release_keeps_what_the_file_is() {
    let list = script("list.sh", &[VERSION.as_ref(), "abc".as_ref()], "22  b\n11  a\n");
    assert!(
        list.starts_with("# The programs that the action trusts"),
        "{list}"
    );
    assert!(!list.contains("Nothing is released"), "{list}");
    assert!(
        list.ends_with(&format!("\n#\nversion {VERSION}\ncommit abc\n11  a\n22  b\n")),
        "{list}"
    );
}

#[test]
fn packing_is_repeatable_up_to_times() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("some program");
    fs::write(&program, "x").unwrap();
    for (target, name) in [
        (TARGET, "tenantgate"),
        ("x86_64-pc-windows-msvc", "tenantgate.exe"),
    ] {
        let arguments = [
            VERSION.as_ref(),
            target.as_ref(),
            program.as_os_str(),
            folder.path().as_os_str(),
        ];
        let lines = script("pack.sh", &arguments, "");
        let stem = format!("tenantgate-{VERSION}-{target}");
        let archive = fs::read(folder.path().join(format!("{stem}.tar.gz"))).unwrap();
        let expected = format!(
            "{}  {stem}.tar.gz\n{}  {stem}/{name}\n",
            sha256(&archive),
            sha256(b"x")
        );
        assert_eq!(lines, expected);
    }
}

/// A tag must not get programs that were built from something else.
#[test]
fn only_the_list_may_change_between_build_and_tag() {
    let repository = copy();
    let path = repository.path();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(path)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let commit = |message: &str| {
        git(&["add", "."]);
        git(&["commit", "-q", "-m", message]);
        git(&["rev-parse", "HEAD"])
    };
    let verify = || {
        let output = Command::new(path.join(".github/release/verify-tree.sh"))
            .stderr(Stdio::null())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    git(&["init", "-q"]);
    let list = path.join(".github/action/checksums.txt");
    fs::write(&list, "version unreleased\n").unwrap();
    let built = commit("built");
    assert_eq!(verify(), (true, "version=unreleased\n".to_owned()));
    fs::write(&list, format!("version 1.2.3\ncommit {built}\n")).unwrap();
    commit("the list");
    assert_eq!(verify(), (true, "version=1.2.3\n".to_owned()));
    fs::write(path.join("action.yml"), "changed").unwrap();
    commit("something else");
    let (passed, said) = verify();
    assert!(!passed && said.starts_with("::error title=release::"), "{said}");
}

#[test]
fn the_secrets_that_a_called_workflow_keeps_are_read_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.env");
    let values = [
        ("UAT_DB_URL", "postgres://a:b%40c$x`y`@h/d?x=\"1\"&y='2'"),
        ("UAT_SECRET_KEY", "a\\b\\n\\\\c #d ${HOME} $(id) %"),
        ("UAT_PEM", "-----BEGIN-----\nab c\n-----END-----\n"),
        ("OTHER", "not asked for"),
    ];
    let all: serde_json::Map<_, _> = values
        .iter()
        .map(|(name, value)| (name.to_string(), (*value).into()))
        .collect();
    let status = Command::new(root().join(".github/action/secrets.sh"))
        .arg(&file)
        .env("ALL", serde_json::Value::Object(all).to_string())
        .env("NAMES", "UAT_DB_URL\n  UAT_SECRET_KEY  \n\nUAT_PEM\nABSENT\n")
        .status();
    assert!(status.unwrap().success());
    let read: BTreeMap<_, _> = dotenvy::from_path_iter(&file)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let kept = &values[..3];
    assert_eq!(
        read,
        kept.iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    );
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
