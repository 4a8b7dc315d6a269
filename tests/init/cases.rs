//! Repositories of several kinds.

use super::repository::{assert_clean, init, repository, seen};
use crate::harness::{Project, Run};

const CONFIG: &str = "tenantgate.toml";

/// Deploys by hand so far: a workflow per environment, whose secrets have the environment in their names.
fn meats() -> Project {
    let mut project = repository(&["main", "develop", "uat"]);
    project.write(
        "backend/requirements.txt",
        "Django==4.2\ndjango-tenants==3.6\npsycopg2-binary==2.9\n",
    );
    project.write(
        "backend/projectmeats/settings/base.py",
        "TENANT_MODEL = \"tenants.Client\"\n",
    );
    project.write("backend/apps/tenants/migrations/0001_initial.py", "");
    project.write("backend/apps/suppliers/migrations/0001_initial.py", "");
    project.write("backend/node_modules/x/migrations/0001_a.sql", "SELECT 1;\n");
    project.write(
        ".env.example",
        "DATABASE_URL=postgres://user:password@localhost:5432/meats\nSECRET_KEY=\n",
    );
    project.write(".env", "DATABASE_URL=mysql://root:meat-and-two-veg@db/meats\n");
    project.guard("meat-and-two-veg");
    for (stage, environment) in [
        ("dev", "dev-backend"),
        ("uat", "uat2-backend"),
        ("prod", "prod2-backend"),
    ] {
        let prefix = stage.to_uppercase();
        project.write(
            &format!(".github/workflows/deploy-{stage}.yml"),
            &format!(
                "on: push\njobs:\n  migrate:\n    environment: {environment}\n    steps:\n      - run: python manage.py \
                 migrate_schemas\n        env:\n          DATABASE_URL: ${{{{ secrets.{prefix}_DB_URL }}}}\n          \
                 SECRET_KEY: ${{{{ secrets.{prefix}_SECRET_KEY }}}}\n          DJANGO_SETTINGS_MODULE: ${{{{ \
                 secrets.{prefix}_DJANGO_SETTINGS_MODULE }}}}\n  frontend:\n    environment:\n      name: \
                 {stage}-frontend\n    steps:\n      - run: deploy ${{{{ secrets.SSH_PASSWORD }}}} ${{{{ \
                 secrets.GITHUB_TOKEN }}}}\n"
            ),
        );
    }
    project
}

#[test]
fn django_with_a_schema_per_tenant() {
    let project = meats();
    let run = init(&project, &[]);
    let files = [
        CONFIG,
        ".github/workflows/tenantgate.yml",
        ".github/workflows/tenantgate-to-prod.yml",
    ];
    insta::assert_snapshot!("meats", seen(&run, &project, &files));
    assert_clean(&project);
    let check = project.tenantgate(&["check", "--environment", "uat"]);
    check.assert_code(1);
    assert_eq!(check.checks_that("failed"), ["secrets.missing"]);
    let findings = check.check("secrets.missing")["findings"].to_string();
    for name in [
        "UAT_DB_URL",
        "UAT_SECRET_KEY",
        "UAT_DJANGO_SETTINGS_MODULE",
        "uat2-backend",
    ] {
        assert!(findings.contains(name), "{findings}");
    }
}

#[test]
fn mariadb_with_a_database_per_tenant() {
    let project = repository(&["main", "dev", "staging"]);
    project.write(
        "docker-compose.yml",
        "services:\n  db:\n    image: mariadb:11.4\n",
    );
    project.write(
        "migrations/shared/0001_organisations.sql",
        "CREATE TABLE IF NOT EXISTS `organisations` (\n  `id` int PRIMARY KEY,\n  `slug` varchar(40),\n  `is_active` \
         tinyint(1)\n);\n",
    );
    project.write(
        "migrations/tenant/0001_users.sql",
        "CREATE TABLE users (id int);\n",
    );
    project.write("migrations/tenant/0001_users.down.sql", "DROP TABLE users;\n");
    project.write(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  test:\n    env:\n      TEST_DATABASE_URL: ${{ secrets.TEST_DATABASE_URL }}\n",
    );
    let run = init(&project, &[]);
    insta::assert_snapshot!("captions", seen(&run, &project, &[CONFIG]));
    assert_clean(&project);
    let mut project = project;
    project.env(
        "STAGING_DATABASE_URL",
        "mysql://gate@db.captions.internal/captions",
    );
    project
        .tenantgate(&["check", "--environment", "staging"])
        .assert_code(0);
    project
        .tenantgate(&["promote", "--environment", "dev"])
        .assert_code(0);
}

#[test]
fn plain_sql_in_one_folder() {
    let project = repository(&["production", "main"]);
    project.write("package.json", "{\"dependencies\": {\"pg\": \"^8.11.0\"}}\n");
    project.write(
        "db/migrations/20260101120000_accounts.sql",
        "CREATE TABLE accounts (\n  name text,\n  active boolean\n);\n",
    );
    project.write("db/migrations/README.md", "how to\n");
    project.write("db/seeds/001_demo.sql", "SELECT 1;\n");
    project.write("legacy/V1__old.sql", "SELECT 1;\n");
    project.write(
        "services/auth/migrations/0001_auth.sql",
        "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n",
    );
    let run = init(&project, &[]);
    insta::assert_snapshot!("plain", seen(&run, &project, &[CONFIG]));
    assert_clean(&project);
    project
        .tenantgate(&["promote", "--environment", "dev"])
        .assert_code(0);
}

#[test]
fn nothing_at_all() {
    let project = Project::new();
    let run = project.tenantgate(&["init"]);
    run.assert_code(0);
    let to_prod = ".github/workflows/tenantgate-to-prod.yml";
    insta::assert_snapshot!("empty", seen(&run, &project, &[CONFIG]));
    // Without a release to name, a commit that nobody has stands there, and says so.
    assert!(
        project
            .read(to_prod)
            .contains(&format!("@{} # PLACEHOLDER", "0".repeat(40)))
    );
    assert_clean(&project);
    project
        .tenantgate(&["promote", "--environment", "dev"])
        .assert_code(0);
    // The line that `keygen` prints takes the place of the one that waits for it.
    let keygen = project.tenantgate(&["keygen", "--out", "key"]);
    keygen.assert_code(0);
    let printed = format!("{}{}", keygen.stdout, keygen.stderr);
    let line = printed.lines().find(|line| line.starts_with("public_keys = "));
    let line = line.unwrap_or_else(|| panic!("{printed}"));
    let config = project.read(CONFIG);
    assert_eq!(config.matches("\n# public_keys = [\"…\"]").count(), 2);
    project.write(CONFIG, &config.replacen("# public_keys = [\"…\"]", line, 1));
    project
        .tenantgate(&["promote", "--environment", "dev"])
        .assert_code(0);
    project
        .tenantgate(&["check", "--environment", "prod"])
        .assert_code(1);
}

#[test]
fn one_project_of_several_in_a_repository() {
    let project = repository(&["main", "develop"]);
    project.write(
        "services/billing/migrations/public/001_tenants.sql",
        "CREATE TABLE tenants (\n  name text\n);\n",
    );
    project.write(
        "services/billing/migrations/tenants/001_invoices.sql",
        "CREATE TABLE invoices (id int);\n",
    );
    project.write(
        "services/billing/.env.sample",
        "export DB_URL=\"sqlite:///billing.db\"\nDIRECT_URL=\n",
    );
    project.write("services/other/requirements.txt", "psycopg==3\n");
    let run = init(&project, &["--config", "services/billing/tenantgate.toml"]);
    let files = [
        "services/billing/tenantgate.toml",
        ".github/workflows/tenantgate-services-billing.yml",
        ".github/workflows/tenantgate-services-billing-to-dev.yml",
    ];
    insta::assert_snapshot!("monorepo", seen(&run, &project, &files));
    assert_clean(&project);
    let check = [
        "--config",
        "services/billing/tenantgate.toml",
        "--environment",
        "dev",
    ];
    project
        .tenantgate(&[&["check"][..], &check].concat())
        .assert_code(1);
    project
        .tenantgate(&[&["promote"][..], &check].concat())
        .assert_code(0);
    // A second project does not come into the first one's way.
    let other = init(
        &project,
        &[
            "--config",
            "services/other/gate.toml",
            "--environments",
            "dev,prod",
        ],
    );
    assert!(
        other
            .stdout
            .contains("+ .github/workflows/tenantgate-services-other.yml"),
        "{}",
        other.stdout
    );
    assert!(
        other.stdout.contains(
            "Put migrations into services/other/migrations/shared and services/other/migrations/tenant:"
        ),
        "{}",
        other.stdout
    );
    let text = project.read(".github/workflows/tenantgate-services-other.yml");
    assert!(
        text.contains("config: gate.toml\n          working-directory: services/other"),
        "{text}"
    );
    assert_clean(&project);
    let environments = |run: &Run| -> Vec<String> {
        let words = run.stdout.lines().filter(|line| line.contains("gh secret set"));
        words
            .filter_map(|line| line.split("--env ").nth(1)?.split(' ').next().map(str::to_owned))
            .collect()
    };
    assert!(!environments(&run).is_empty());
    for environment in environments(&run) {
        assert!(!environments(&other).contains(&environment), "{environment}");
    }
}

#[test]
fn a_workflow_tells_the_environment_of_one_of_several_projects() {
    let project = repository(&["main", "develop"]);
    for (name, folder, environment) in [
        ("auth", "services/auth", "auth-dev"),
        ("billing", "services/billing", "development"),
    ] {
        project.write(&format!("{folder}/migrations/0001_a.sql"), "SELECT 1;\n");
        project.write(
            &format!(".github/workflows/{name}.yml"),
            &format!(
                "on: push\njobs:\n  a:\n    environment: {environment}\n    steps:\n      - run: make -C {folder}\n"
            ),
        );
    }
    init(&project, &["--config", "services/billing/tenantgate.toml"]);
    let config = project.read("services/billing/tenantgate.toml");
    for part in [
        "github_environment = \"development\"",
        "github_environment = \"services-billing-prod\"",
    ] {
        assert!(config.contains(part), "{part}: {config}");
    }
}

/// The printed paths begin at the repository's root, so it says so to whoever stands elsewhere.
#[test]
fn whoever_stands_elsewhere_is_told_where_the_paths_begin() {
    let project = Project::new();
    let folder = project.path("shop");
    std::fs::create_dir(&folder).unwrap();
    let run = init(&project, &["--dir", "shop"]);
    assert!(
        run.stdout.contains("\nnext, from the config's folder:"),
        "{}",
        run.stdout
    );
    project.write("shop/.git/HEAD", "ref: refs/heads/main\n");
    let run = init(&project, &["--dir", "shop"]);
    assert!(
        run.stdout.contains("\nnext, from the repository's root:"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_config_that_is_there_is_followed() {
    let project = Project::fixture("meats");
    let run = init(&project, &[]);
    insta::assert_snapshot!("existing", run.snapshot());
    let text = project.read(".github/workflows/tenantgate.yml");
    for part in [
        "environment: prod2-backend",
        "PROD_SECRET_KEY: ${{ secrets.PROD_SECRET_KEY }}",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_clean(&project);
}

#[test]
fn layouts_of_other_tools_are_recognised() {
    for (file, text, says) in [
        (
            "prisma/migrations/20260101_init/migration.sql",
            "SELECT 1;\n",
            "Prisma in prisma/migrations:",
        ),
        ("sql/V1__init.sql", "SELECT 1;\n", "Flyway in sql:"),
        (
            "db/migrations/20260101_a.sql",
            "-- migrate:up\nSELECT 1;\n",
            "dbmate in db/migrations:",
        ),
        (
            "db/migrations/00001_a.sql",
            "-- +goose Up\nSELECT 1;\n",
            "goose in db/migrations:",
        ),
        (
            "supabase/migrations/20260101_a.sql",
            "SELECT 1;\n",
            "Supabase in supabase/migrations:",
        ),
        ("db/migrate/20260101_a.rb", "", "Rails in db/migrate:"),
        (
            "database/migrations/2026_01_01_a.php",
            "",
            "Laravel in database/migrations:",
        ),
        (
            "shop/migrations/0001_initial.py",
            "",
            "Django in shop/migrations:",
        ),
        (
            "migrations/20240101120000-init.sql",
            "SELECT 1;\n",
            "SQL files with other names in migrations:",
        ),
        (
            "migrations/20240101120000_init.js",
            "",
            "JavaScript (knex, Sequelize, TypeORM) in migrations:",
        ),
        (
            "src/Migrations/Version20240101.php",
            "",
            "migrations in code in src/Migrations:",
        ),
        (
            "migrations/2024-01-01-000000_a/up.sql",
            "SELECT 1;\n",
            "Diesel in migrations:",
        ),
    ] {
        let project = repository(&["main"]);
        project.write(file, text);
        let run = init(&project, &[]);
        let config = project.read(CONFIG).replace("\n#  ", "");
        assert!(config.contains(&format!("# Seen: {says}")), "{file}: {config}");
        assert!(config.contains("# CAREFUL:"), "{file}: {config}");
        let row = format!("migrations    {says} ");
        assert!(run.stdout.contains(&row), "{file}: {}", run.stdout);
        // Whatever was seen, the config can be used.
        project
            .tenantgate(&["promote", "--environment", "dev"])
            .assert_code(0);
    }
}
