//! What the config expects of tables and values, compared with what is there.

use crate::database_url::EngineKind;
use crate::domain::{Check, Finding, Redactor, Tenant};
use crate::engine::{Engine, EngineError, Target, queries};
use crate::settings::{Expectations, ScopeExpectations};
use crate::validate::{self as schema, Place};

/// Who is asked, and what is expected.
pub(super) struct Comparison<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) expect: &'a Expectations,
    pub(super) kind: EngineKind,
    pub(super) redactor: &'a Redactor,
}

impl Comparison<'_> {
    /// A check each for tables, columns, indexes and foreign keys; none where none are expected.
    pub(super) async fn tables(&self, shared: bool, tenants: &[&Tenant]) -> Result<Vec<Check>, EngineError> {
        let mut found = Vec::new();
        let mut expected_some = false;
        for (expected, places) in self.places(shared, tenants) {
            expected_some |= !expected.tables.is_empty();
            if expected.tables.is_empty() || places.is_empty() {
                continue;
            }
            let targets: Vec<Target<'_>> = places.iter().map(|place| target(*place)).collect();
            let tables: Vec<&str> = expected.tables.keys().map(String::as_str).collect();
            let read = self.engine.inspect(&targets, &tables).await?;
            let names = places
                .into_iter()
                .map(|place| place.map(|tenant| &tenant.name) as Place<'_>);
            found.extend(names.zip(read).map(|(place, tables)| (place, expected, tables)));
        }
        if !expected_some {
            return Ok(Vec::new());
        }
        Ok(schema::compare_tables(self.kind, &found))
    }

    /// What the assertions found.
    pub(super) async fn values(&self, shared: bool, tenants: &[&Tenant]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (expected, places) in self.places(shared, tenants) {
            let targets: Vec<Target<'_>> = places.iter().map(|place| target(*place)).collect();
            let names: Vec<Place<'_>> = places
                .iter()
                .map(|place| place.map(|tenant| &tenant.name))
                .collect();
            for assertion in &expected.assertions {
                let values = queries::values(self.engine, &targets, &assertion.sql).await;
                findings.extend(schema::compare_values(assertion, &names, values, self.redactor));
            }
        }
        findings
    }

    /// What the thresholds found.
    pub(super) async fn numbers(&self, shared: bool, tenants: &[&Tenant]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (expected, places) in self.places(shared, tenants) {
            let targets: Vec<Target<'_>> = places.iter().map(|place| target(*place)).collect();
            let names: Vec<Place<'_>> = places
                .iter()
                .map(|place| place.map(|tenant| &tenant.name))
                .collect();
            for threshold in &expected.thresholds {
                let values = queries::values(self.engine, &targets, &threshold.sql).await;
                findings.extend(schema::compare_numbers(threshold, &names, values, self.redactor));
            }
        }
        findings
    }

    /// Each scope's expectations with the places they hold for: none is the shared schema.
    fn places<'b>(
        &'b self,
        shared: bool,
        tenants: &[&'b Tenant],
    ) -> Vec<(&'b ScopeExpectations, Vec<Option<&'b Tenant>>)> {
        let tenants = tenants.iter().map(|tenant| Some(*tenant)).collect();
        let shared = shared.then(|| (&self.expect.shared, vec![None]));
        shared
            .into_iter()
            .chain([(&self.expect.tenant, tenants)])
            .collect()
    }
}

fn target(place: Option<&Tenant>) -> Target<'_> {
    place.map_or(Target::Shared, Target::Tenant)
}
