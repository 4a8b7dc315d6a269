//! The JSON Schema of the report.

/// What [`super::json::render`] writes, described in JSON Schema 2020-12.
pub fn report_schema() -> serde_json::Value {
    schemars::schema_for!(crate::domain::Report).to_value()
}
