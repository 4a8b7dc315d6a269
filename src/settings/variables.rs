//! Environment variables: the process's own and those of env files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::domain::{EnvironmentName, Secret};

/// The variables that this process was started with.
#[derive(Debug, Clone, Default)]
pub struct ProcessEnvironment {
    pub variables: BTreeMap<String, Secret>,
    /// Names of variables whose values are not UTF-8.
    pub unreadable: BTreeSet<String>,
}

impl ProcessEnvironment {
    /// The one place where the process environment is read.
    pub fn read() -> Self {
        let mut environment = Self::default();
        for (name, value) in std::env::vars_os() {
            // A name that is not UTF-8 cannot be one that the config demands.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => {
                    environment.variables.insert(name, Secret::new(value));
                }
                Err(_) => {
                    environment.unreadable.insert(name);
                }
            }
        }
        environment
    }
}

/// The process environment over the environment's env file; and, apart from them, the env files of
/// the other environments, so that a run never takes another environment's value for its own.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, Secret>,
    unreadable: BTreeSet<String>,
    elsewhere: BTreeMap<EnvironmentName, BTreeMap<String, Secret>>,
    absent_file: Option<PathBuf>,
}

impl Variables {
    pub fn new(values: BTreeMap<String, Secret>) -> Self {
        Self {
            values,
            ..Self::default()
        }
    }

    /// The process environment wins over the file, also where its value cannot be read.
    pub(super) fn layered(process: &ProcessEnvironment, file: BTreeMap<String, Secret>) -> Self {
        let mut values = file;
        values.retain(|name, _| !process.unreadable.contains(name));
        values.extend(process.variables.clone());
        Self {
            unreadable: process.unreadable.clone(),
            ..Self::new(values)
        }
    }

    /// Adds the env file of another environment.
    pub fn with_file_of(mut self, environment: EnvironmentName, file: BTreeMap<String, Secret>) -> Self {
        self.elsewhere.insert(environment, file);
        self
    }

    pub(super) fn with_absent_file(mut self, file: PathBuf) -> Self {
        self.absent_file = Some(file);
        self
    }

    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.values.get(name)
    }

    /// It is set, but not to UTF-8 text.
    pub fn is_unreadable(&self, name: &str) -> bool {
        self.unreadable.contains(name)
    }

    /// What another environment's env file says.
    pub fn in_file_of(&self, environment: &EnvironmentName, name: &str) -> Option<&Secret> {
        self.elsewhere.get(environment)?.get(name)
    }

    /// Every value that the name has anywhere.
    pub fn everywhere(&self, name: &str) -> impl Iterator<Item = &Secret> {
        let elsewhere = self.elsewhere.values().filter_map(move |file| file.get(name));
        self.values.get(name).into_iter().chain(elsewhere)
    }

    /// The env file that the config names for this environment, where it does not exist.
    pub fn absent_file(&self) -> Option<&Path> {
        self.absent_file.as_deref()
    }
}
