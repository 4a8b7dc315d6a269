//! The committed JSON Schemas are what the program prints.

use std::fs;
use std::path::Path;

use crate::harness::Project;

#[test]
fn the_committed_schemas_are_current() {
    for (name, title) in [("config", "tenantgate.toml"), ("report", "Report")] {
        let run = Project::new().tenantgate(&["schema", name]);
        run.assert_code(0);
        let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(schema["title"], title);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.json"));
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == run.stdout,
            "schemas/{name}.json is stale: tenantgate schema {name} > schemas/{name}.json"
        );
    }
}
