//! What every schema is compared with.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Validate;
use super::document::Document;
use super::environments::within;
use super::error::SettingsError;

/// What every schema is compared with.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ValidateConfig {
    /// The file of the committed snapshot, relative to this file.
    pub(super) snapshot: String,
}

impl Default for ValidateConfig {
    fn default() -> Self {
        Self {
            snapshot: "schema.snapshot".to_owned(),
        }
    }
}

pub(super) fn resolve_validate(
    document: &Document<'_>,
    config: &ValidateConfig,
    root: &Path,
) -> Result<Validate, SettingsError> {
    if config.snapshot.trim().is_empty() {
        return Err(document.error(&["validate", "snapshot"], "`snapshot` is empty"));
    }
    if config.snapshot.contains("://") {
        return Err(document.error(
            &["validate", "snapshot"],
            "`snapshot` holds a URL, and is the path of a file",
        ));
    }
    Ok(Validate {
        snapshot: within(root, &config.snapshot),
    })
}
