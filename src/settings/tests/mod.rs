//! Scenarios: given these files and variables, when the settings are loaded, then this.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod errors;
mod promotion;
mod values;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// The config of the contract.
const WHOLE: &str = r#"
name = "meats-central"

[environments.dev]
github_environment = "dev-backend"
database_url = "DEV_DB_URL"
[environments.uat]
after = "dev"
database_url = "{ENV}_DB_URL"
soak = "24h"
[environments.prod]
after = "uat"
database_url = "PROD_DB_URL"

[secrets."{ENV}_SECRET_KEY"]
min_length = 50
[secrets."{ENV}_DJANGO_SETTINGS_MODULE"]
pattern = '^projectmeats\.settings\.\w+$'

[tenancy]
mode = "schema"
registry = "SELECT schema_name AS tenant, is_active AS active FROM tenants_client"
ensure = ["super_tenant"]

[migrations]
shared = "migrations/shared"
tenant = "migrations/tenant"

[rollout]
canary = ["super_tenant"]
concurrency = 4
warn_after = "5m"
fail_after = "10m"
"#;

/// One environment and nothing that need not be.
const LEAST: &str = r#"name = "x"
[environments.dev]
database_url = "DB"
[tenancy]
mode = "schema"
registry = "SELECT 1"
[migrations]
tenant = "m"
"#;

struct Project {
    folder: TempDir,
    flags: Flags,
    process: ProcessEnvironment,
}

impl Project {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            config: folder.path().join("tenantgate.toml"),
            ..Flags::default()
        };
        std::fs::write(&flags.config, config).unwrap();
        Self {
            folder,
            flags,
            process: ProcessEnvironment::default(),
        }
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.process.variables.insert(name.to_owned(), Secret::new(value));
        self
    }

    fn environment(mut self, name: &str) -> Self {
        self.flags.environment = Some(name.to_owned());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Settings, SettingsError> {
        load(&self.flags, &self.process)
    }

    fn settings(&self) -> Settings {
        self.load().unwrap()
    }

    /// The error as people see it, with the hint below and without the temporary folder.
    fn error(&self) -> String {
        let error = self.load().unwrap_err();
        let folder = self.folder.path().display().to_string();
        let text = match &error.hint {
            Some(hint) => format!("{error}\n  hint: {hint}"),
            None => error.to_string(),
        };
        text.replace(&format!("{folder}/"), "").replace(&folder, ".")
    }
}

/// What [`LEAST`] becomes when a piece of it is replaced.
fn least_with(old: &str, new: &str) -> Project {
    assert!(LEAST.contains(old), "{old}");
    Project::new(&LEAST.replacen(old, new, 1))
}

/// What [`LEAST`] becomes when lines are added.
fn least_and(more: &str) -> Project {
    Project::new(&format!("{LEAST}{more}"))
}
