//! What `init` does not do.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::repository::{COMMIT, assert_clean, init, repository};
use crate::harness::Project;

#[test]
fn what_exists_is_left_alone() {
    let project = repository(&["main"]);
    let workflow = ".github/workflows/tenantgate.yml";
    init(&project, &[]);
    let edited = format!("{}# mine\n", project.read(workflow));
    project.write(workflow, &edited);
    let run = init(&project, &[]);
    assert!(
        run.stdout.contains(
            "= .github/workflows/tenantgate.yml  is there already: left alone (--force replaces it: changes made by \
             hand are lost)"
        ),
        "{}",
        run.stdout
    );
    assert_eq!(project.read(workflow), edited);
    let config = project.read("tenantgate.toml");
    project.write("tenantgate.toml", &format!("{config}\n# mine, too\n"));
    let forced = init(&project, &["--force"]);
    assert!(
        forced
            .stdout
            .contains("~ .github/workflows/tenantgate.yml  replaced: what was changed in it by hand is gone"),
        "{}",
        forced.stdout
    );
    assert!(project.read("tenantgate.toml").ends_with("# mine, too\n"));
    assert_clean(&project);
    let before = project.files();
    let again = init(&project, &["--force"]);
    assert!(again.stdout.contains("just so"), "{}", again.stdout);
    assert_eq!(project.files(), before);
}

#[test]
fn somebody_elses_workflow_is_never_replaced() {
    let project = repository(&["main"]);
    let theirs = "# Not Made by `tenantgate init`\n";
    project.write(".github/workflows/tenantgate.yml", theirs);
    project.write(".github/workflows/tenantgate-to-dev.yml", "");
    for force in [&[][..], &["--force"]] {
        let run = init(&project, force);
        for file in ["tenantgate.yml", "tenantgate-to-dev.yml"] {
            let line = format!(
                "= .github/workflows/{file}  is there already and is not init's: left alone, also with --force"
            );
            assert!(run.stdout.contains(&line), "{}", run.stdout);
        }
    }
    assert_eq!(project.read(".github/workflows/tenantgate.yml"), theirs);
    assert_eq!(project.read(".github/workflows/tenantgate-to-dev.yml"), "");
}

/// The commands of the step that pins the action keep what somebody changed.
#[test]
fn pinning_keeps_edits() {
    let project = repository(&["main"]);
    let run = project.tenantgate(&["init", "--action-ref", "v1"]);
    run.assert_code(0);
    assert!(
        run.stdout
            .contains("`v1` is a tag or a branch: it can be moved to other code")
            && run.stdout.contains("zizmor will say so"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("--force"), "{}", run.stdout);
    let prod = ".github/workflows/tenantgate-to-prod.yml";
    project.write(prod, &format!("{}# mine\n", project.read(prod)));
    let lines = run.stdout.lines().map(str::trim);
    let commands: Vec<&str> = lines
        .filter(|line| line.starts_with("sed ") || line.starts_with("rm "))
        .collect();
    let script = commands
        .join("\n")
        .replace("COMMIT # VERSION", &format!("{COMMIT} # v1.2.3"));
    let bash = Command::new("bash")
        .args(["-e", "-c", &script])
        .current_dir(project.path("."))
        .output()
        .unwrap();
    assert!(bash.status.success() && commands.len() == 2, "{bash:?}");
    let text = project.read(prod);
    assert!(text.ends_with("# mine\n") && !text.contains("@v1\n"), "{text}");
    assert_eq!(
        text.matches(&format!("uses: tenantgate/tenantgate@{COMMIT} # v1.2.3\n"))
            .count(),
        2
    );
    assert!(
        project
            .files()
            .iter()
            .all(|file| !format!("{file:?}").contains(".bak"))
    );
    assert_clean(&project);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = repository(&["main"]);
    let before = project.files();
    let run = init(&project, &["--dry-run"]);
    assert!(run.stdout.contains("would write"), "{}", run.stdout);
    assert_eq!(project.files(), before);
}

#[test]
fn wrong_usage_writes_nothing() {
    let project = repository(&["main"]);
    let before = project.files();
    for (arguments, message) in [
        (&["--action-ref", "v1 # x"][..], "--action-ref is not"),
        (&["--action-ref", "0123456"], "is 7 digits of a commit"),
        (
            &["--action-ref", "acme/gate@0123456789ab"],
            "is 12 digits of a commit",
        ),
        (&["--environments", "dev,dev"], "named twice"),
        (
            &["--environments", "dev,pr od"],
            "\"pr od\": an environment's name",
        ),
        (&["--environments", "dev uat prod"], "letters, digits"),
        (&["--environments", "dev,../x"], "letters, digits"),
        (&["--environments", ""], "names none"),
        (&["--dir", "no/such"], "there is no folder"),
        (&["--config", "no/such/tenantgate.toml"], "there is no folder"),
        (&["--engine", "oracle"], "invalid value"),
    ] {
        let run = project.tenantgate(&[&["init"][..], arguments].concat());
        run.assert_code(2);
        assert!(run.stderr.contains(message), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(project.files(), before);
}

#[test]
fn a_huge_repository_is_looked_at_in_part() {
    let project = repository(&["main"]);
    project.write("a/migrations/0001_a.sql", "SELECT 1;\n");
    let folder = project.path("b");
    fs::create_dir(&folder).unwrap();
    (0..20_100).for_each(|number| fs::write(folder.join(format!("{number}.txt")), "").unwrap());
    let run = init(&project, &[]);
    assert!(
        run.stdout.contains("note: only the first 20000 files"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("tenant in a/migrations"), "{}", run.stdout);
}

#[test]
fn a_config_that_does_not_load_stops_everything() {
    let project = repository(&["main"]);
    project.write("tenantgate.toml", "name = \"x\"\nenvironment = 1\n");
    let before = project.files();
    let run = project.tenantgate(&["init"]);
    run.assert_code(2);
    assert!(run.stderr.contains("tenantgate.toml"), "{}", run.stderr);
    assert_eq!(project.files(), before);
    project.write(
        "tenantgate.toml",
        include_str!("../../fixtures/captions/tenantgate.toml"),
    );
    let flags = project.tenantgate(&["init", "--engine", "mysql"]);
    flags.assert_code(2);
    assert!(flags.stderr.contains("there is one already"), "{}", flags.stderr);
}

#[test]
fn names_that_no_workflow_can_hold_are_refused() {
    let project = repository(&["main"]);
    let config = include_str!("../../fixtures/meats/tenantgate.toml");
    project.write(
        "tenantgate.toml",
        &config.replace("\"uat2-backend\"", "\"${{ github.token }}\""),
    );
    let run = project.tenantgate(&["init"]);
    run.assert_code(2);
    assert!(
        run.stderr.contains("github_environment has `${{`"),
        "{}",
        run.stderr
    );
    project.write(
        "tenantgate.toml",
        &config.replace("\"uat2-backend\"", "\"it's: UAT # 2\""),
    );
    init(&project, &[]);
    let text = project.read(".github/workflows/tenantgate.yml");
    assert!(text.contains("environment: 'it''s: UAT # 2'"), "{text}");
    assert_clean(&project);
}

#[test]
fn odd_names_of_files_and_branches_do_no_harm() {
    let project = repository(&["main", "develop", "uat", "it's+odd", "${{x}}"]);
    project.write("a b/it's \"here\"/migrations/shared/0001_a.sql", "SELECT 1;\n");
    project.write("a b/it's \"here\"/migrations/tenant/0001_a.sql", "SELECT 1;\n");
    let run = init(&project, &["--dir", "a b/it's \"here\""]);
    assert!(
        run.stdout.contains("note: 2 branches with unusual characters"),
        "{}",
        run.stdout
    );
    assert_clean(&project);
    let config = "a b/it's \"here\"/tenantgate.toml";
    project
        .tenantgate(&["promote", "--config", config, "--environment", "dev"])
        .assert_code(0);
    let odd = project.tenantgate(&["init", "--config", "a b/${{x}}.toml"]);
    odd.assert_code(2);
}

#[test]
fn a_name_with_a_line_end_reaches_no_file() {
    let project = repository(&["main"]);
    project.write("x\n[oops]/compose.yml", "services:\n  db:\n    image: mysql:8\n");
    project.write("x\n[oops]/migrations/0001_a.sql", "SELECT 1;\n");
    project.write("y\u{1b}[31m/V1__a.sql", "SELECT 1;\n");
    let run = init(&project, &[]);
    assert!(
        run.stdout.contains("note: 3 folders and files left out"),
        "{}",
        run.stdout
    );
    assert!(
        !run.stdout.contains("oops") && !run.stdout.contains('\u{1b}'),
        "{}",
        run.stdout
    );
    project
        .tenantgate(&["promote", "--environment", "dev"])
        .assert_code(0);
}

#[test]
fn links_out_of_the_repository_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let project = repository(&["main"]);
    symlink(outside.path(), project.path(".github")).unwrap();
    symlink(outside.path(), project.path("loop")).unwrap();
    symlink(project.path("."), project.path("self")).unwrap();
    let run = project.tenantgate(&["init"]);
    run.assert_code(3);
    assert!(
        run.stderr.contains("leads out of the repository"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(!project.path("tenantgate.toml").exists() && !project.path("migrations").exists());
}

#[test]
fn a_folder_that_cannot_be_written_leaves_nothing_half_done() {
    let project = repository(&["main"]);
    project.write(".github/workflows/ci.yml", "on: push\n");
    // Root writes everywhere, so the folder is a file to it.
    project.write("migrations", "in the way\n");
    let before = project.files();
    let run = project.tenantgate(&["init"]);
    run.assert_code(3);
    assert!(
        run.stderr
            .contains("cannot write `migrations/shared/.gitkeep`; nothing was written"),
        "{}",
        run.stderr
    );
    assert_eq!(project.files(), before);
}

#[test]
fn a_folder_that_cannot_be_read_is_left_out() {
    let project = repository(&["main"]);
    project.write("locked/migrations/0001_a.sql", "SELECT 1;\n");
    let locked = project.path("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let readable_all_the_same = fs::read_dir(&locked).is_ok();
    let run = init(&project, &[]);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    if !readable_all_the_same {
        assert!(
            run.stdout.contains("left out: it cannot be read"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn what_git_ignores_is_not_looked_at() {
    let project = repository(&["main"]);
    project.write(".gitignore", "/scratch/\n");
    project.write("scratch/migrations/0001_a.sql", "SELECT 1;\n");
    let run = init(&project, &[]);
    assert!(!run.stdout.contains("scratch"), "{}", run.stdout);
    assert!(!project.read("tenantgate.toml").contains("scratch"));
}

#[test]
fn a_linked_work_tree_has_its_repositorys_branches() {
    let main = repository(&["main", "develop", "staging"]);
    main.write(".git/worktrees/here/HEAD", "ref: refs/heads/feature\n");
    main.write(".git/worktrees/here/commondir", "../..\n");
    let tree = Project::new();
    let folder = main.path(".git/worktrees/here");
    tree.write(".git", &format!("gitdir: {}\n", folder.display()));
    let run = init(&tree, &[]);
    assert!(
        run.stdout
            .contains("branches      develop, feature, main, staging"),
        "{}",
        run.stdout
    );
}
