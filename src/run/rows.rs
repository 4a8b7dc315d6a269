//! Isolation of tenants that share tables: what the catalog says, and what can be done as the serving role.

use std::time::Instant;

use crate::domain::Check;
use crate::engine::Engine;
use crate::engine::row_security::{RowFacts, Trial};
use crate::settings::RowTenancy;
use crate::validate::rows;

use super::connect::finding;
use super::survey::Survey;
use super::{Gate, Stage};

impl Gate<'_> {
    /// Nothing in the other modes.
    pub(super) async fn row_isolation(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let settings = self.settings;
        let Some(tenancy) = &settings.tenancy.row else {
            return Ok(());
        };
        let since = Instant::now();
        let facts = engine.row_facts(&rows::question(tenancy)).await;
        let facts = self.or_block(&rows::ROLE, since, facts)?;
        // What the catalog shows does not keep it from being tried.
        let open = self.add(rows::judge(&facts, tenancy), since);
        let since = Instant::now();
        let check = try_rows(engine, survey, &facts, tenancy).await;
        self.add(vec![check], since).and(open)
    }
}

async fn try_rows(engine: &dyn Engine, survey: &Survey, facts: &RowFacts, tenancy: &RowTenancy) -> Check {
    // A suspended tenant may see nothing of its own.
    let active = survey.known().iter().filter(|it| it.active);
    let suspended = survey.known().iter().filter(|it| !it.active);
    let tenants: Vec<String> = active.chain(suspended).map(|it| it.name.to_string()).collect();
    if let Some(finding) = rows::nothing_tried(facts, tenancy, tenants.len()) {
        return Check::answered(&rows::TRY, vec![finding]);
    }
    let (tables, views) = rows::to_try(facts, tenancy);
    let trial = Trial {
        role: &tenancy.role,
        context: tenancy.context.as_deref().unwrap_or_default(),
        tenants: &tenants,
        tables,
        views,
    };
    match engine.try_rows(&trial).await {
        Ok(tried) => rows::tried(&tried, tenancy),
        Err(error) => {
            let mut found = finding(&error);
            found.message = format!("acting as {}: {}", tenancy.role, found.message);
            Check::answered(&rows::TRY, vec![found])
        }
    }
}
