use std::time::Duration;

use super::*;
use crate::domain::ServerName;

fn value(settings: &Settings, environment: &str, name: &str) -> Option<String> {
    let environments = &settings.environments;
    let environment = environments
        .iter()
        .find(|known| known.name.as_str() == environment);
    let value = settings.value_in(environment.unwrap(), name);
    value.map(|value| value.expose().to_owned())
}

#[test]
fn the_contracts_config_is_read() {
    let settings = Project::new(WHOLE).environment("uat").settings();
    let names: Vec<&str> = settings.environments.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["dev", "uat", "prod"]);
    assert_eq!(settings.environment.name.as_str(), "uat");
    assert_eq!(settings.environment.database_url.as_str(), "UAT_DB_URL");
    assert_eq!(settings.environment.soak, Some(Duration::from_secs(86_400)));
    assert_eq!(
        settings.rollout.concurrency,
        crate::settings::Concurrency::Fixed(4)
    );
    assert_eq!(settings.rollout.lock_timeout, Duration::from_secs(2));
    assert_eq!(settings.rollout.lease_ttl, Duration::from_secs(30));
    assert_eq!(settings.rollout.lease_wait, Duration::from_secs(600));
    assert_eq!(settings.tenancy.location, "{tenant}");
    assert_eq!(settings.tenancy.shared_schema, "public");
    assert_eq!(settings.tenancy.min, 1);
    let [module, key] = settings.secrets.as_slice() else {
        panic!("two rules")
    };
    assert_eq!(
        (key.min_length, key.min_distinct, key.unique),
        (Some(50), Some(8), true)
    );
    assert_eq!(
        (module.min_length, module.min_distinct, module.unique),
        (None, None, false)
    );
}

#[test]
fn paths_of_the_config_begin_at_its_folder() {
    let project = Project::new(WHOLE).environment("dev");
    let settings = project.settings();
    assert_eq!(settings.root, project.folder.path());
    assert_eq!(
        settings.shared_migrations,
        Some(project.path("migrations/shared"))
    );
    assert_eq!(settings.promotion.store, Store::Auto(None));
}

#[test]
fn evidence_of_the_flag_wins() {
    let mut project = least_and("[promotion]\nevidence = \"proofs\"\n");
    assert_eq!(
        project.settings().promotion.store,
        Store::Auto(Some(project.path("proofs")))
    );
    project.flags.evidence = Some("elsewhere".into());
    assert_eq!(
        project.settings().promotion.store,
        Store::Folder("elsewhere".into())
    );
}

#[test]
fn the_only_environment_needs_no_choice() {
    assert_eq!(Project::new(LEAST).settings().environment.name.as_str(), "dev");
    let chosen = Project::new(WHOLE).variable("TENANTGATE_ENVIRONMENT", "prod");
    assert_eq!(chosen.settings().environment.name.as_str(), "prod");
    assert_eq!(
        chosen.environment("dev").settings().environment.name.as_str(),
        "dev"
    );
    let empty = Project::new(LEAST).environment("");
    assert_eq!(empty.settings().environment.name.as_str(), "dev");
}

#[test]
fn environments_without_a_predecessor_come_by_name() {
    let more =
        "[environments.a]\ndatabase_url = \"A\"\nafter = \"dev\"\n[environments.z]\ndatabase_url = \"Z\"\n";
    let settings = least_and(more).environment("z").settings();
    let names: Vec<&str> = settings.environments.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["dev", "a", "z"]);
}

const FILES: &str = r#"name = "x"
[environments.dev]
database_url = "DATABASE_URL"
env_file = "dev.env"
[environments.uat]
database_url = "DATABASE_URL"
env_file = "uat.env"
[secrets."{ENV}_KEY"]
unique = true
[tenancy]
mode = "schema"
registry = "SELECT 1"
[migrations]
tenant = "m"
"#;

#[test]
fn the_process_wins_over_the_env_file() {
    let settings = Project::new(FILES)
        .file("dev.env", "DEV_KEY=file\nDATABASE_URL=file\n")
        .variable("DEV_KEY", "process")
        .environment("dev")
        .settings();
    assert_eq!(value(&settings, "dev", "DEV_KEY").as_deref(), Some("process"));
    assert_eq!(value(&settings, "dev", "DATABASE_URL").as_deref(), Some("file"));
}

#[test]
fn another_environments_file_is_never_this_runs_own() {
    let settings = Project::new(FILES)
        .file("uat.env", "DATABASE_URL=uat\nUAT_KEY=uat\nDEV_KEY=uat\n")
        .environment("dev")
        .settings();
    assert_eq!(settings.variables.get("DATABASE_URL"), None);
    assert_eq!(settings.variables.get("DEV_KEY"), None);
    assert_eq!(value(&settings, "uat", "DATABASE_URL").as_deref(), Some("uat"));
    assert_eq!(value(&settings, "uat", "UAT_KEY").as_deref(), Some("uat"));
}

#[test]
fn a_name_that_all_environments_use_is_this_runs_own() {
    let settings = Project::new(FILES)
        .variable("DATABASE_URL", "dev")
        .variable("UAT_KEY", "process")
        .environment("dev")
        .settings();
    assert_eq!(value(&settings, "dev", "DATABASE_URL").as_deref(), Some("dev"));
    assert_eq!(value(&settings, "uat", "DATABASE_URL"), None);
    assert_eq!(value(&settings, "uat", "UAT_KEY").as_deref(), Some("process"));
}

#[test]
fn one_env_file_for_all_is_read_as_this_runs_own() {
    let settings = Project::new(&FILES.replace("uat.env", "dev.env"))
        .file("dev.env", "DATABASE_URL=one\nUAT_KEY=uat\n")
        .environment("uat")
        .settings();
    assert_eq!(settings.variables.get("DATABASE_URL"), Some(&Secret::new("one")));
    assert_eq!(value(&settings, "dev", "DATABASE_URL"), None);
    assert_eq!(value(&settings, "uat", "UAT_KEY").as_deref(), Some("uat"));
}

#[test]
fn the_configs_env_file_may_be_absent() {
    let project = Project::new(FILES).environment("dev");
    let settings = project.settings();
    assert_eq!(
        settings.variables.absent_file(),
        Some(project.path("dev.env").as_path())
    );
}

#[test]
fn the_flags_env_file_takes_the_place_of_the_configs() {
    let mut project = Project::new(FILES)
        .file("dev.env", "DEV_KEY=config\n")
        .file("other.env", "DATABASE_URL=flag\n")
        .environment("dev");
    project.flags.env_file = Some(project.path("other.env"));
    let settings = project.settings();
    assert_eq!(value(&settings, "dev", "DEV_KEY"), None);
    assert_eq!(value(&settings, "dev", "DATABASE_URL").as_deref(), Some("flag"));
    assert_eq!(settings.environment.env_file, Some(project.path("other.env")));
}

#[test]
fn a_variable_that_is_not_text_hides_the_files() {
    let mut project = Project::new(FILES)
        .file("dev.env", "DEV_KEY=file\n")
        .environment("dev");
    project.process.unreadable.insert("DEV_KEY".to_owned());
    let settings = project.settings();
    assert_eq!(settings.variables.get("DEV_KEY"), None);
    assert!(settings.variables.is_unreadable("DEV_KEY"));
}

#[test]
fn the_process_environment_can_be_read() {
    let environment = ProcessEnvironment::read();
    assert!(environment.variables.contains_key("PATH"));
    assert!(!format!("{environment:?}").contains("/bin"));
}

#[test]
fn secrets_default_by_what_is_demanded() {
    let settings = least_and(
        "[secrets.A]\nmin_length = 19\n[secrets.B]\nmin_length = 20\nmin_distinct = 3\nunique = false\n\
         [secrets.C]\none_of = [\"a\", \"b\"]\noptional = true\n",
    )
    .settings();
    let [a, b, c] = settings.secrets.as_slice() else {
        panic!("three rules")
    };
    assert_eq!((a.min_distinct, a.unique), (None, true));
    assert_eq!((b.min_distinct, b.unique), (Some(3), false));
    assert_eq!((c.one_of.len(), c.optional, c.unique), (2, true, false));
}

#[test]
fn tenancy_in_databases() {
    let settings = least_with(
        "mode = \"schema\"",
        "mode = \"database\"\ndatabase = \"app_{tenant}\"\nledger = \"gate\"\nignore = [\"audit_*\"]\nmin = 0\n\
         ensure = [\"a\", \"b\", \"a\"]",
    )
    .settings();
    let tenancy = settings.tenancy;
    assert_eq!(tenancy.mode, TenancyMode::Database);
    assert_eq!(tenancy.location, "app_{tenant}");
    assert_eq!(tenancy.ledger.as_deref(), Some("gate"));
    assert!(tenancy.ignore.is_match("audit_2024") && !tenancy.ignore.is_match("acme"));
    assert_eq!(tenancy.min, 0);
    assert_eq!(tenancy.ensure.len(), 2);
}

#[test]
fn expectations_are_read() {
    let settings = least_and(
        r#"
[expect.tenant.tables.orders]
columns.id = "bigint"
columns.state = { type = "text", nullable = false, default = "'new'" }
columns.note = { no_default = true }
indexes = ["orders_state_idx"]
[[expect.shared.assertions]]
name = "tenants"
sql = "SELECT count(*) FROM clients"
equals = 3
[[expect.shared.assertions]]
name = "ready"
sql = "SELECT ready FROM state"
equals = true
[[expect.shared.assertions]]
name = "half"
sql = "SELECT 0.5"
equals = 0.5
"#,
    )
    .settings();
    let orders = &settings.expect.tenant.tables["orders"];
    assert_eq!(orders.columns["id"].data_type.as_deref(), Some("bigint"));
    assert_eq!(orders.columns["id"].default, None);
    let state = &orders.columns["state"];
    assert_eq!(
        (&state.default, state.nullable),
        (&Some(DefaultExpectation::Is("'new'".to_owned())), Some(false))
    );
    assert_eq!(orders.columns["note"].default, Some(DefaultExpectation::Absent));
    assert_eq!(orders.indexes, ["orders_state_idx"]);
    let equals: Vec<&str> = settings
        .expect
        .shared
        .assertions
        .iter()
        .map(|a| a.equals.as_str())
        .collect();
    assert_eq!(equals, ["3", "true", "0.5"]);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_read() {
    let text = format!("\u{FEFF}{}", LEAST.replace('\n', "\r\n"));
    assert_eq!(Project::new(&text).settings().name, "x");
}

#[test]
fn the_schema_describes_every_key() {
    fn undescribed(place: &str, schema: &serde_json::Value, missing: &mut Vec<String>) {
        let properties = schema.get("properties").and_then(|value| value.as_object());
        for (key, value) in properties.into_iter().flatten() {
            if value.get("description").is_none() {
                missing.push(format!("{place}.{key}"));
            }
        }
    }
    let schema = config_schema();
    let mut missing = Vec::new();
    undescribed("top", &schema, &mut missing);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        undescribed(name, definition, &mut missing);
        let closed = definition.get("properties").is_none() || definition["additionalProperties"] == false;
        assert!(closed, "{name} takes unknown keys");
    }
    assert_eq!(missing, Vec::<String>::new());
    let text = schema.to_string();
    assert!(!text.contains("null\""), "{text}");
    assert_eq!(
        schema["$defs"]["RolloutConfig"]["properties"]["concurrency"]["default"],
        "auto"
    );
    assert_eq!(schema["required"], serde_json::json!(["name", "tenancy"]));
}

#[test]
fn servers_have_secrets_and_a_concurrency_of_their_own() {
    let servers = "[environments.dev.servers.eu]\ndatabase_url = \"{ENV}_EU\"\ndirect_url = \"EU_DIRECT\"\n\
                   concurrency = 2\n[environments.dev.servers.us-2]\ndatabase_url = \"US\"\n";
    let settings = least_and(servers).settings();
    let urls: Vec<&str> = settings.environment.url_names().map(|it| it.as_str()).collect();
    assert_eq!(urls[1..], ["DEV_EU", "EU_DIRECT", "US"]);
    let secrets = settings.secret_names(&settings.environment);
    assert!(urls.iter().all(|url| secrets.contains(*url)));

    let rollout = &settings.rollout;
    let servers: Vec<&ServerName> = settings.environment.servers.keys().collect();
    let (eu, us) = (Some(servers[0]), Some(servers[1]));
    let of = |server, turn| rollout.concurrency_on(server, turn);
    let usual = rollout.concurrency;
    assert_eq!(of(eu, usual), Concurrency::Fixed(2));
    assert_eq!((of(us, usual), of(None, usual)), (usual, usual));
    let (one, many) = (Concurrency::Fixed(1), Concurrency::Fixed(50));
    assert_eq!(
        (of(eu, one), of(eu, many)),
        (one, Concurrency::Fixed(2)),
        "a wave may lower it"
    );
    assert_eq!(of(us, many), many);
}
