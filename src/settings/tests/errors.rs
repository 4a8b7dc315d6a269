use insta::assert_snapshot;

use super::*;

#[test]
fn no_config_file() {
    let mut project = Project::new(LEAST);
    project.flags.config = project.path("other.toml");
    assert_snapshot!(project.error(), @r#"
    other.toml: there is no config file here
      hint: name it with --config FILE (fixtures/quickstart/tenantgate.toml is one to begin with)
    "#);
    project.flags.config = project.folder.path().to_owned();
    assert_snapshot!(project.error(), @r#"
    .: the config file is a folder
      hint: name the file in it: --config tenantgate.toml
    "#);
}

#[test]
fn a_config_file_that_is_not_text() {
    let project = Project::new("");
    std::fs::write(&project.flags.config, b"\xFF\xFEn\0a\0").unwrap();
    assert_snapshot!(project.error(), @r#"
    tenantgate.toml: the config file is not UTF-8 text
      hint: save it as UTF-8
    "#);
}

#[test]
fn a_config_file_that_is_not_toml() {
    assert_snapshot!(Project::new("name = \"x\"\nétage = marker-value\n").error(), @"tenantgate.toml:2:1: this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`");
    assert_snapshot!(Project::new("name = \"marker\nx = 1").error(), @r#"tenantgate.toml:1:15: this is not TOML: invalid basic string, expected `"`"#);
    assert_snapshot!(Project::new("name = \"x\"\nname = \"marker\"").error(), @"tenantgate.toml:2:1: this is not TOML: duplicate key");
    assert_snapshot!(Project::new("[environments.dev\n").error(), @"tenantgate.toml:1:18: this is not TOML: unclosed table, expected `]`");
}

#[test]
fn an_unknown_key() {
    assert_snapshot!(least_with("registry", "regestry").error(), @r#"
    tenantgate.toml:6:1: unknown key `regestry` in [tenancy]
      hint: did you mean `registry`?
    "#);
    assert_snapshot!(least_with("database_url", "dburl").error(), @r#"
    tenantgate.toml:3:1: unknown key `dburl` in [environments.dev]
      hint: known here: `github_environment`, `database_url`, `direct_url`, `after`, `soak`, `max_age`, `public_keys`, `env_file`, `servers`
    "#);
    assert_snapshot!(least_and("[rollouts]\n").error(), @r#"
    tenantgate.toml:9:2: unknown key `rollouts` at the top of the file
      hint: did you mean `rollout`?
    "#);
    assert_snapshot!(least_and("[secrets.\"{ENV}_KEY\"]\n minlength = 1\n").error(), @r#"
    tenantgate.toml:10:2: unknown key `minlength` in [secrets."{ENV}_KEY"]
      hint: did you mean `min_length`?
    "#);
    assert_snapshot!(least_and("[expect.tenant.tables.t]\ncolumns.a = { typ = \"x\" }\n").error(), @r#"
    tenantgate.toml:10:15: unknown key `typ` in [expect.tenant.tables.t.columns.a]
      hint: did you mean `type`?
    "#);
    assert_snapshot!(least_and("[[expect.tenant.assertions]]\nname = \"\"\nsqll = \"marker\"\n").error(), @r#"
    tenantgate.toml:11:1: unknown key `sqll` in [expect.tenant.assertions]
      hint: did you mean `sql`?
    "#);
}

#[test]
fn a_missing_key() {
    assert_snapshot!(least_with("name = \"x\"", "").error(), @"tenantgate.toml:1:1: the key `name` is missing at the top of the file");
    assert_snapshot!(least_with("registry = \"SELECT 1\"", "").error(), @"tenantgate.toml:4:1: the key `registry` is missing in [tenancy]");
    assert_snapshot!(least_with("database_url = \"DB\"", "").error(), @"tenantgate.toml:2:1: the key `database_url` is missing in [environments.dev]");
    assert_snapshot!(least_with("tenant = \"m\"", "").error(), @r#"
    tenantgate.toml:7:1: [migrations] names no folder
      hint: give one or both: shared = "migrations/shared", tenant = "migrations/tenant"
    "#);
    assert_snapshot!(Project::new("").error(), @"tenantgate.toml:1:1: the key `name` is missing at the top of the file");
}

#[test]
fn a_value_of_the_wrong_type_is_not_quoted() {
    for config in [
        "[rollout]\nconcurrency = \"marker, expected marker\"\n",
        "[secrets]\nDEV_KEY = \"marker\"\n",
        "[rollout]\ncanary = \"marker\"\n",
        "[expect.tenant.tables.t]\ncolumns = [\"marker\"]\n",
    ] {
        let project = least_and(config);
        let error = project.load().unwrap_err();
        assert!(!format!("{error:?}{error}").contains("marker"), "{error}");
    }
    assert_snapshot!(least_and("[rollout]\nlock_retries = \"many\"\n").error(), @"tenantgate.toml:10:16: `lock_retries` in [rollout]: expected a whole number, 0 or more, found text");
    assert_snapshot!(least_and("[rollout]\nlock_retries = -1\n").error(), @"tenantgate.toml:10:16: `lock_retries` in [rollout]: expected a whole number, 0 or more, found a negative number");
    assert_snapshot!(least_and("[rollout]\nconcurrency = true\n").error(), @"tenantgate.toml:10:15: `concurrency` in [rollout]: expected a whole number or text, found true or false");
    assert_snapshot!(least_and("[rollout]\nlock_timeout = 5\n").error(), @r#"tenantgate.toml:10:16: `lock_timeout` in [rollout]: expected a duration as text, such as "30s" or "24h", found a whole number"#);
    assert_snapshot!(least_and("[rollout]\ncanary = \"a\"\n").error(), @"tenantgate.toml:10:10: `canary` in [rollout]: expected a list, found text");
    assert_snapshot!(least_and("[rollout]\ncanary = [\"a\", 1]\n").error(), @"tenantgate.toml:10:16: `canary` in [rollout]: expected text in quotes, found a whole number");
    assert_snapshot!(least_and("[secrets]\nDEV_KEY = \"hunter2\"\n").error(), @r#"
    tenantgate.toml:10:11: `DEV_KEY` in [secrets]: expected a table, found text
      hint: a secret's value does not belong into this file: [secrets."NAME"] holds what is demanded of it, such as min_length = 50
    "#);
    assert_snapshot!(least_and("[expect.tenant.tables.t]\ncolumns.a = 1\n").error(), @r#"tenantgate.toml:10:13: `a` in [expect.tenant.tables.t.columns]: expected a type as text or a table such as { type = "text", nullable = false }, found a whole number"#);
    assert_snapshot!(least_and("[expect.tenant.tables.t]\ncolumns.a = { nullable = \"no\" }\n").error(), @"tenantgate.toml:10:26: `nullable` in [expect.tenant.tables.t.columns.a]: expected true or false, found text");
    assert_snapshot!(
        least_and("[[expect.tenant.assertions]]\nname = \"a\"\nsql = \"b\"\nequals = [1]\n").error(),
        @"tenantgate.toml:12:10: `equals` in [expect.tenant.assertions]: expected text, a number, true or false, found a list"
    );
    assert_snapshot!(least_with("mode = \"schema\"", "mode = 1").error(), @"tenantgate.toml:5:8: `mode` in [tenancy]: expected text in quotes, found something else");
    assert_snapshot!(least_with("name = \"x\"", "name = \"x\"\nsecrets = 1").error(), @"tenantgate.toml:2:11: `secrets`: expected a table, found a whole number");
}

#[test]
fn no_environment_or_the_wrong_one() {
    assert_snapshot!(least_with("[environments.dev]\ndatabase_url = \"DB\"", "").error(), @r#"
    tenantgate.toml: no environment is configured
      hint: add one: [environments.dev] with database_url = "DEV_DB_URL", the name of the variable that holds the URL
    "#);
    assert_snapshot!(Project::new(WHOLE).error(), @r#"
    tenantgate.toml: no environment is chosen
      hint: say --environment NAME or set TENANTGATE_ENVIRONMENT; configured are: dev, uat, prod
    "#);
    assert_snapshot!(Project::new(WHOLE).environment("production").error(), @r#"
    tenantgate.toml: there is no environment `production`
      hint: did you mean `prod`? configured are: dev, uat, prod
    "#);
    assert_snapshot!(Project::new(WHOLE).variable("TENANTGATE_ENVIRONMENT", "staging").error(), @r#"
    tenantgate.toml: there is no environment `staging`
      hint: configured are: dev, uat, prod
    "#);
}

#[test]
fn environments_in_no_order() {
    let with = |dev: &str, more: &str| least_with("\"DB\"\n", &format!("\"DB\"\n{dev}\n{more}\n")).error();
    assert_snapshot!(with("after = \"dev\"", ""), @"tenantgate.toml:4:9: environment `dev` comes after itself");
    assert_snapshot!(with("after = \"devv\"", "[environments.deva]\ndatabase_url = \"X\""), @r#"
    tenantgate.toml:4:9: `after` names environment `devv`, which is not configured
      hint: did you mean `deva`? configured are: deva
    "#);
    assert_snapshot!(
        with(
            "after = \"prod\"",
            "[environments.uat]\nafter = \"dev\"\ndatabase_url = \"U\"\n\
             [environments.prod]\nafter = \"uat\"\ndatabase_url = \"P\""
        ),
        @"tenantgate.toml:6:9: `after` goes in a circle: dev after prod after uat after dev"
    );
    assert_snapshot!(with("soak = \"1h\"", ""), @r#"
    tenantgate.toml:4:1: `soak` says nothing without `after`
      hint: add after = "…", the environment that must have passed before
    "#);
    assert_snapshot!(with("", "[environments.DEV]\ndatabase_url = \"X\""), @"tenantgate.toml:2:15: environments `DEV` and `dev` cannot be told apart: `{ENV}` is DEV in both");
    assert_snapshot!(with("", "[environments.\"d v\"]\ndatabase_url = \"X\""), @"tenantgate.toml:5:15: an environment's name is 1 to 63 letters, digits, `-` or `_`");
}

#[test]
fn a_url_where_its_name_belongs_is_not_shown() {
    let url = least_with("\"DB\"", "\"postgres://u:hunter2@h/d\"");
    assert!(!format!("{:?}", url.load().unwrap_err()).contains("hunter2"));
    assert_snapshot!(url.error(), @r#"
    tenantgate.toml:3:16: `database_url` holds a URL instead of the name of its secret
      hint: put the URL into a secret or an environment variable, such as DEV_DB_URL, and name it here: database_url = "DEV_DB_URL"; if the URL has a password and this file was ever shared, change the password
    "#);
    assert_snapshot!(least_with("\"DB\"", "\"dev.db\"").error(), @r#"
    tenantgate.toml:3:16: `database_url` is not the name of a secret: letters, digits and `_`, no digit first
      hint: put the URL into a secret or an environment variable, such as DEV_DB_URL, and name it here: database_url = "DEV_DB_URL"
    "#);
    assert_snapshot!(least_with("\"DB\"", "\"DB\"\ndirect_url = \"a b\"").error(), @r#"
    tenantgate.toml:4:14: `direct_url` is not the name of a secret: letters, digits and `_`, no digit first
      hint: put the URL into a secret or an environment variable, such as DEV_DB_URL, and name it here: direct_url = "DEV_DB_URL"
    "#);
}

#[test]
fn bad_durations() {
    assert_snapshot!(least_and("[rollout]\nlock_timeout = \"soon\"\n").error(), @r#"
    tenantgate.toml:10:16: `lock_timeout` is not a duration
      hint: write a number and a unit, such as "1500ms", "30s", "5m", "24h", "2d" or "1h30m"
    "#);
    assert_snapshot!(least_with("\"DB\"", "\"DB\"\nmax_age = \"1mo\"").error(), @r#"
    tenantgate.toml:4:11: `max_age` is not a duration
      hint: write a number and a unit, such as "1500ms", "30s", "5m", "24h", "2d" or "1h30m"
    "#);
    assert_snapshot!(least_and("[rollout]\nlock_timeout = \"0s\"\n").error(), @r#"
    tenantgate.toml:10:16: `lock_timeout` is less than 1ms, which a server takes for no limit
      hint: such as "2s"
    "#);
    assert_snapshot!(least_and("[rollout]\nstatement_timeout = \"25d\"\n").error(), @"tenantgate.toml:10:21: `statement_timeout` is more than 24 days");
    assert_snapshot!(least_and("[rollout]\nlease_ttl = \"900ms\"\n").error(), @r#"
    tenantgate.toml:10:13: `lease_ttl` is less than 1s
      hint: a run that cannot renew its lease in time loses it; "30s" is the default
    "#);
    assert_snapshot!(least_and("[rollout]\nwarn_after = \"5m\"\nfail_after = \"4m\"\n").error(), @"tenantgate.toml:11:14: `fail_after` is less than `warn_after`");
}

#[test]
fn bad_rules_of_secrets() {
    assert_snapshot!(least_and("[secrets.A]\npattern = \"marker(\"\n").error(), @"tenantgate.toml:10:11: `pattern` is not a regular expression: unclosed group");
    assert_snapshot!(least_and("[secrets.\"{env}_KEY\"]\n").error(), @r#"
    tenantgate.toml:9:10: this is not the name of a secret
      hint: letters, digits and `_`, no digit first; {ENV} stands for the environment: "{ENV}_SECRET_KEY"
    "#);
    assert_snapshot!(least_and("[secrets.A]\none_of = []\n").error(), @r#"
    tenantgate.toml:10:10: `one_of` is empty, so no value is allowed
      hint: list the allowed values, or leave it out
    "#);
    assert_snapshot!(least_and("[secrets.A]\nmin_length = 5\nmin_distinct = 6\n").error(), @"tenantgate.toml:11:16: `min_distinct` is more than `min_length`");
    assert_snapshot!(least_and("[secrets.DEV_A]\n[secrets.\"{ENV}_A\"]\n").error(), @r#"tenantgate.toml:10:10: [secrets."DEV_A"] and [secrets."{ENV}_A"] are both for DEV_A in `dev`"#);
}

#[test]
fn isolation_that_does_nothing() {
    let with = |mode: &str, isolation: &str| {
        let text = format!("[isolation]\n{isolation}\n[tenancy]\n{mode}");
        least_with("[tenancy]\nmode = \"schema\"", &text).error()
    };
    assert_snapshot!(with("mode = \"schema\"", "try_url = \"APP_URL\""), @r#"
    tenantgate.toml:5:1: `try_url` does nothing in mode "schema"
      hint: on PostgreSQL the gate acts as the `serving_role` of [tenancy]
    "#);
    let database = "mode = \"database\"\ndatabase = \"app_{tenant}\"";
    assert_snapshot!(with(database, "ignore = [\"x\"]\nsample = 3"), @r#"
    tenantgate.toml:6:1: `sample` does nothing in mode "database" without `try_url`
      hint: `placement` is asked of schemas; to try what the application's user may do, name the secret with its URL in `try_url`
    "#);
    assert_snapshot!(with(database, "try_url = \"APP_URL\"\nplacement = \"off\""), @r#"
    tenantgate.toml:6:1: `placement` does nothing in mode "database"
      hint: a name without a database is the own one's
    "#);
    assert_snapshot!(with(database, "try_url = \"mysql://app:pw@db/app\""), @r#"
    tenantgate.toml:5:11: `try_url` holds a URL instead of the name of its secret
      hint: put the URL into a secret or an environment variable, such as DEV_DB_URL, and name it here: try_url = "DEV_DB_URL"; if the URL has a password and this file was ever shared, change the password
    "#);
    let row = "mode = \"row\"\ncolumn = \"org\"\nserving_role = \"app\"";
    assert_snapshot!(with(row, "names = \"off\""), @r#"
    tenantgate.toml:5:1: `names` does nothing in mode "row"
      hint: what is asked of shared tables, `global_tables`, `trusted_functions` and `context` of [tenancy] say
    "#);
}

#[test]
fn bad_tenancy() {
    let with = |new: &str| least_with("mode = \"schema\"", new).error();
    assert_snapshot!(with("mode = \"row\""), @r#"
    tenantgate.toml:5:1: mode "row" needs the key `column`
      hint: the column that says whose a row is: column = "tenant_id"
    "#);
    assert_snapshot!(with("mode = \"tables\""), @r#"
    tenantgate.toml:5:8: `mode` in [tenancy] is not one of `schema`, `database`, `row`
      hint: such as mode = "schema"
    "#);
    assert_snapshot!(Project::new("name = \"x\"\ntenancy = \"schema\"\n").error(), @r#"
    tenantgate.toml:2:11: `tenancy`: expected a table, found text
      hint: its keys stand below a heading: [tenancy]; `tenantgate schema config` lists them, as does the README
    "#);
    assert_snapshot!(with("mode = \"schemas\""), @r#"
    tenantgate.toml:5:8: `mode` in [tenancy] is not one of `schema`, `database`, `row`
      hint: did you mean `schema`?
    "#);
    assert_snapshot!(with("mode = \"database\""), @r#"
    tenantgate.toml:5:1: mode "database" needs the key `database`
      hint: say how a tenant's database is called: database = "app_{tenant}", or its file beside the shared one: database = "tenants/{tenant}.db"
    "#);
    assert_snapshot!(with("mode = \"database\"\ndatabase = \"app\""), @r#"
    tenantgate.toml:6:12: `database` does not contain {tenant}: all tenants would be one
      hint: such as database = "app_{tenant}"
    "#);
    assert_snapshot!(with("mode = \"schema\"\ndatabase = \"app_{tenant}\""), @r#"tenantgate.toml:6:1: `database` belongs to mode "database", but the mode is "schema""#);
    assert_snapshot!(with("mode = \"schema\"\nschema = \"{ENV}_{tenant}\""), @"tenantgate.toml:6:10: `schema` has a brace that is not of {tenant} or {shared}");
    assert_snapshot!(with("mode = \"schema\"\nensure = [\"ok\", \"not ok\"]"), @"tenantgate.toml:6:17: `ensure` has an item that is no tenant's name: the name has a character other than letters, digits, `_`, `-` and `.`");
    assert_snapshot!(with("mode = \"schema\"\nensure_sql = \"INSERT\""), @r#"
    tenantgate.toml:6:14: `ensure_sql` does not contain {tenant}
      hint: {tenant} becomes the tenant's name, quoted: INSERT INTO clients (schema_name) VALUES ({tenant})
    "#);
    assert_snapshot!(with("mode = \"schema\"\nignore = [\"a*\", \"[\"]"), @"tenantgate.toml:6:17: `ignore` has an item that is not a glob: unclosed character class; missing ']'");
    assert_snapshot!(with("mode = \"schema\"\nshared_schema = \" \""), @"tenantgate.toml:6:17: `shared_schema` is empty");
    assert_snapshot!(least_with("SELECT 1", "").error(), @"tenantgate.toml:6:12: `registry` is empty");
}

#[test]
fn other_nonsense() {
    assert_snapshot!(least_and("[rollout]\nconcurrency = 0\n").error(), @r#"
    tenantgate.toml:10:15: `concurrency` is 0: nothing would ever run
      hint: a number, 1 migrates one tenant at a time; or "auto"
    "#);
    assert_snapshot!(least_and("[rollout]\ncanary = [\"../x\"]\n").error(), @"tenantgate.toml:10:11: `canary` has an item that is no tenant's name: the name begins with `.` or `-`");
    assert_snapshot!(least_with("name = \"x\"", "name = \" \"").error(), @"tenantgate.toml:1:8: `name` is empty");
    assert_snapshot!(least_with("name = \"x\"", "name = \"x\\ny\"").error(), @"tenantgate.toml:1:8: `name` is not one line of at most 100 characters");
    assert_snapshot!(least_with("tenant = \"m\"", "tenant = \"\"").error(), @"tenantgate.toml:8:10: `tenant` is empty");
    assert_snapshot!(
        least_and("[expect.shared.tables.t]\ncolumns.a = { default = \"1\", no_default = true }\n").error(),
        @"tenantgate.toml:10:9: a column has both `default` and `no_default`"
    );
    assert_snapshot!(
        least_and("[[expect.shared.assertions]]\nname = \"a\"\nsql = \"\"\nequals = 1\n").error(),
        @"tenantgate.toml:11:7: an assertion's `sql` is empty"
    );
}

#[test]
fn a_rollout_that_makes_no_sense() {
    let with = |config: &str| least_and(&format!("[rollout]\n{config}\n")).error();
    assert_snapshot!(with("concurrency = \"many\""), @r#"
    tenantgate.toml:10:15: `concurrency` is neither a number nor "auto"
      hint: a number, 1 migrates one tenant at a time; or "auto"
    "#);
    assert_snapshot!(with("concurrency = -1"), @r#"
    tenantgate.toml:10:15: `concurrency` is not between 1 and 1000
      hint: a number, 1 migrates one tenant at a time; or "auto"
    "#);
    for wrong in ["\"5\"", "\"101%\"", "\"-1%\"", "\"few\"", "\"NaN%\"", "-1"] {
        let error = with(&format!("max_failures = {wrong}"));
        assert!(
            error.contains("10:16") && error.contains("such as \"5%\""),
            "{error}"
        );
    }
    assert_snapshot!(with("deadline = \"0s\""), @r#"
    tenantgate.toml:10:12: `deadline` is 0: nothing would ever run
      hint: such as "50m" for a job whose limit is an hour
    "#);
    assert_snapshot!(with("suspended = \"drop\""), @r#"
    tenantgate.toml:10:13: `suspended` in [rollout] is not one of `migrate`, `last`, `skip`
      hint: such as suspended = "migrate"
    "#);
    assert_snapshot!(with("on_failure = \"rolback\""), @r#"
    tenantgate.toml:10:14: `on_failure` in [rollout] is not one of `stop`, `continue`, `rollback`
      hint: did you mean `rollback`?
    "#);
    assert_snapshot!(with("on_failure = \"halt\""), @r#"
    tenantgate.toml:10:14: `on_failure` in [rollout] is not one of `stop`, `continue`, `rollback`
      hint: such as on_failure = "stop"
    "#);
    assert_snapshot!(with("[[rollout.waves]]\nname = \"a\"\ntenants = [\"x\"]\norder = \"size\""), @r#"
    tenantgate.toml:13:9: `order` in [rollout.waves] is not one of `registry`, `name`, `listed`
      hint: such as order = "registry"
    "#);
    assert_snapshot!(with("[[rollout.waves]]\nname = \"a\""), @r#"
    tenantgate.toml:11:8: this wave has neither `tenants` nor `query`
      hint: tenants = ["eu_*"], or query = "SELECT name AS tenant FROM tenants WHERE …"
    "#);
    assert_snapshot!(with("[[rollout.waves]]\nname = \"a\"\ntenants = [\"x\", \"[\"]"), @"tenantgate.toml:12:17: `tenants` has an item that is not a glob: unclosed character class; missing ']'");
    assert_snapshot!(with("[[rollout.waves]]\nname = \"a\"\ntenants = [\"x\"]\nquery = \"SELECT 1\""), @r#"
    tenantgate.toml:13:9: a wave has `tenants` or `query`, not both
      hint: tenants = ["eu_*"], or query = "SELECT name AS tenant FROM tenants WHERE …"
    "#);
    assert_snapshot!(
        with("[[rollout.waves]]\nname = \"a\"\ntenants = [\"x\"]\n[[rollout.waves]]\nname = \"a\"\ntenants = [\"y\"]"),
        @"tenantgate.toml:14:8: two waves have this name"
    );
    assert_snapshot!(with("[[rollout.waves]]\nname = \"a\"\ntenants = [\"x\"]\nconcurrency = 0"), @r#"
    tenantgate.toml:13:15: `concurrency` is 0: nothing would ever run
      hint: a number, 1 migrates one tenant at a time; or "auto"
    "#);
}

#[test]
fn env_files_that_cannot_be_read() {
    let mut project = Project::new(LEAST);
    project.flags.env_file = Some(project.path("none.env"));
    assert_snapshot!(project.error(), @r#"
    none.env: there is no env file here
      hint: --env-file is relative to the working directory
    "#);
    let project = project.file("none.env", "A=1\nB=marker marker\n");
    assert_snapshot!(project.error(), @r#"
    none.env:2: this is not NAME=value
      hint: put a value with spaces or special characters into single quotes: NAME='value'
    "#);
    let more = "[environments.uat]\ndatabase_url = \"U\"\nenv_file = \"uat.env\"\n";
    let project = least_and(more).environment("dev").file("uat.env", "?marker");
    assert_snapshot!(project.error(), @r#"
    uat.env:1: this is not NAME=value
      hint: put a value with spaces or special characters into single quotes: NAME='value'
    "#);
}

/// Each value of a full config in turn becomes something else that holds a marker.
#[test]
fn no_error_quotes_a_value() {
    let whole = format!(
        "{WHOLE}lock_timeout = \"2s\"\n[promotion]\nevidence = \"e\"\n[secrets.A]\none_of = [\"x\"]\nunique = true\n\
         [expect.tenant.tables.t]\ncolumns.a = \"int\"\ncolumns.b = {{ type = \"int\" }}\nindexes = [\"i\"]\n\
         [[expect.tenant.assertions]]\nname = \"n\"\nsql = \"s\"\nequals = 1\n"
    );
    let lines: Vec<&str> = whole.lines().collect();
    let junk = [
        "\"marker@(\"",
        "[\"marker@(\"]",
        "{ x = \"marker@(\" }",
        "[[\"marker@(\", 1]]",
        "marker@(",
        "\"marker@(",
        "'''marker",
        "\"x\" marker",
        "\"\\marker\"",
    ];
    let mut refused = 0;
    for (index, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(" = ") else {
            continue;
        };
        for value in junk {
            let mut changed = lines.clone();
            let new = format!("{key} = {value}");
            changed[index] = &new;
            let project = Project::new(&changed.join("\n")).environment("dev");
            if let Err(error) = project.load() {
                refused += 1;
                assert!(!format!("{error:?}{error}").contains("marker"), "{new}: {error}");
                assert!(error.line.is_some(), "{new}: {error}");
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn expectations_that_cannot_be_meant() {
    let in_mode = |more: &str| {
        let text = LEAST.replace(
            "mode = \"schema\"",
            "mode = \"database\"\ndatabase = \"app_{tenant}\"",
        );
        Project::new(&format!("{text}{more}")).error()
    };
    assert_snapshot!(in_mode("[expect.tenant.tables.t]\nrow_security = true\n"), @r#"
    tenantgate.toml:11:1: `row_security` is known to PostgreSQL only
      hint: mode "database" is for MySQL, MariaDB and SQLite, which have no such thing: take it out
    "#);
    assert_snapshot!(in_mode("[expect.tenant.tables.t]\npolicies = [\"own\"]\n"), @r#"
    tenantgate.toml:11:1: `policies` is known to PostgreSQL only
      hint: mode "database" is for MySQL, MariaDB and SQLite, which have no such thing: take it out
    "#);
    assert_snapshot!(least_and("[expect.tenant.tables.t]\nrow_security = \"marker\"\n").error(), @r#"tenantgate.toml:10:16: `row_security` in [expect.tenant.tables.t]: expected true, false or "forced", found text"#);
    let threshold = "[[expect.tenant.thresholds]]\nname = \"n\"\nsql = \"SELECT 1\"\n";
    assert_snapshot!(least_and(threshold).error(), @r"
    tenantgate.toml:10:8: a threshold has no limit
      hint: give one or more of `warn`, `fail`, `warn_below` and `fail_below`
    ");
    assert_snapshot!(least_and(&format!("{threshold}warn = 5\nfail = 4\n")).error(), @"tenantgate.toml:12:8: `warn` is more than `fail`: it would never be told");
    assert_snapshot!(least_and(&format!("{threshold}fail_below = 5\nwarn_below = 4.5\n")).error(), @"tenantgate.toml:13:14: `warn_below` is less than `fail_below`: it would never be told");
    assert_snapshot!(least_and(&format!("{threshold}fail = 5\n{threshold}fail = 4\n")).error(), @"tenantgate.toml:14:8: two thresholds have this name");
    assert_snapshot!(
        least_with(
            "registry = \"SELECT 1\"",
            "registry = \"SELECT 1\"\nmax_change = \"many\""
        )
        .error(), @r#"
    tenantgate.toml:7:14: `max_change` is neither a number nor a percentage
      hint: a number of tenants, or a percentage of those that there were, such as "20%"
    "#);
    assert_snapshot!(least_and("[validate]\nsnapshot = \"\"\n").error(), @"tenantgate.toml:10:12: `snapshot` is empty");
    assert_snapshot!(least_and("[prove]\nidempotent = \"off\"\n").error(), @r#"
    tenantgate.toml:10:14: `idempotent` in [prove] is not one of `note`, `warning`, `error`
      hint: such as idempotent = "note"
    "#);
}
