//! Tenants kept apart: what the servers tell of their borders, and what is seen by trying.

use std::time::Instant;

use crate::database_url::{self, EngineKind};
use crate::domain::{Check, CheckDefinition, Finding, Migration, Secret, Tenant};
use crate::engine::Engine;
use crate::engine::isolation::{Attempt, Borderline};
use crate::settings::{Level, TenancyMode};
use crate::validate::isolation::{
    self, CHECKS, Made, NAMES, PLACEMENT, REFERENCES, Scene, TRY, is_open, level,
};

use super::made::{Unlearnt, made};
use super::offline::of_tenant;
use super::survey::Survey;
use super::{Gate, Stage};

impl Gate<'_> {
    /// The questions that this config asks of this engine.
    pub(super) fn isolation_checks(&self) -> Vec<CheckDefinition> {
        let tenancy = &self.settings.tenancy;
        let asked = |it: &CheckDefinition| {
            let answers = match (tenancy.mode, self.kind()) {
                (TenancyMode::Schema, EngineKind::Postgres) => {
                    it.id != TRY.id || tenancy.serving_role.is_some()
                }
                // Nobody acts as another there, so it takes a URL; a name alone is always the own database's.
                (TenancyMode::Database, EngineKind::Mysql) => {
                    let is_tried = self.settings.environment.try_url.is_some();
                    it.id != PLACEMENT.id && (it.id != TRY.id || is_tried)
                }
                // Nothing is said of files, so nothing of them passes. Rows have borders of their own.
                _ => false,
            };
            answers && level(&self.settings.isolation, it) != Level::Off
        };
        CHECKS.into_iter().filter(asked).collect()
    }

    /// Asked where structures are compared. A finding of one check does not keep the others from being asked.
    pub(super) async fn isolation(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let asked = self.isolation_checks();
        let known = survey.known().iter().filter(|it| survey.locations.contains(it));
        let tenants: Vec<&Tenant> = known.collect();
        self.isolation_reached = true;
        let Some(first) = asked.first() else {
            return Ok(());
        };
        if !self.compares(tenants.len()) {
            return Ok(());
        }
        let since = Instant::now();
        let settings = self.settings;
        let alike = std::mem::take(&mut self.alike);
        let line = Borderline {
            tenants: tenants.clone(),
            serving_role: settings.tenancy.serving_role.as_deref(),
            alike: &alike,
        };
        let borders = engine.borders(&line).await;
        let borders = self.or_block(first, since, borders)?;
        let quoted = |name: &str| engine.quoted(name);
        let scene = |borders| {
            let (role, kind) = (line.serving_role, self.kind());
            let mut scene = Scene::new(borders, &tenants, role, &settings.isolation, kind, &quoted);
            scene.is_tried = asked.contains(&TRY);
            scene
        };
        let scenes: Vec<Scene<'_>> = borders.iter().map(scene).collect();
        let (made, unlearnt) = match self.made_where_open(engine, &asked, &scenes).await {
            Ok(made) => (made, Vec::new()),
            Err(unlearnt) => (None, not_learnt(unlearnt)),
        };
        let mut checks = Vec::new();
        for check in asked.iter().filter(|it| it.id != TRY.id) {
            let of = |scene: &Scene<'_>| match check.id {
                id if id == REFERENCES.id => isolation::references(scene),
                id if id == PLACEMENT.id => isolation::placement(scene, made.as_ref()),
                id if id == NAMES.id => isolation::names(scene),
                _ => isolation::grants(scene),
            };
            let mut findings = on_servers(&scenes, of);
            if check.id == PLACEMENT.id {
                findings.extend(unlearnt.iter().cloned());
            }
            checks.push(Check::answered(check, findings));
        }
        let _ = self.add(checks, since);
        if asked.contains(&TRY) {
            self.tried(engine, &scenes).await?;
        }
        Ok(())
    }

    /// What migrations make is only learnt where a name is on both sides.
    async fn made_where_open(
        &self,
        engine: &dyn Engine,
        asked: &[CheckDefinition],
        scenes: &[Scene<'_>],
    ) -> Result<Option<Made>, Unlearnt> {
        if !asked.contains(&PLACEMENT) || !scenes.iter().any(is_open) {
            return Ok(None);
        }
        let shared: Vec<&Migration> = self.set().shared.iter().collect();
        let tenant: Vec<&Migration> = self.set().tenant.iter().collect();
        let of_shared = made(engine, &[], &shared).await?;
        let of_tenant = made(engine, &shared, &tenant).await?;
        Ok(Some(Made::of(&of_shared, &of_tenant)))
    }

    async fn tried(&mut self, engine: &dyn Engine, scenes: &[Scene<'_>]) -> Stage<()> {
        let since = Instant::now();
        let mut findings = Vec::new();
        let url = match self.application_url().map(|it| it.cloned()) {
            Ok(url) => url,
            Err(finding) => return self.add(vec![Check::answered(&TRY, vec![*finding])], since),
        };
        for scene in scenes {
            if url.is_some() && scene.borders.server.is_some() {
                findings.push(isolation::elsewhere(scene.tenants.len()));
                continue;
            }
            let each = match &url {
                Some(url) => url.expose().contains("{tenant}"),
                None => scene.one_role_each(),
            };
            let mut attempts = isolation::attempts(scene, each);
            if attempts.is_empty() {
                continue;
            }
            if let Some(url) = &url
                && let Err(finding) = self.connect_as_tenants(url, &mut attempts)
            {
                return self.add(vec![Check::answered(&TRY, vec![*finding])], since);
            }
            let results = engine.attempt(&attempts).await;
            match self.or_block(&TRY, since, results)? {
                Some(results) => findings.extend(isolation::tried(scene, each, &attempts, &results)),
                None => findings.push(isolation::untried()),
            }
        }
        findings.dedup();
        let _ = self.add(vec![Check::answered(&TRY, findings)], since);
        Ok(())
    }
}

impl Gate<'_> {
    /// As the application has it; none: the config does not name it.
    fn application_url(&self) -> Result<Option<&Secret>, Box<Finding>> {
        let Some(name) = &self.settings.environment.try_url else {
            return Ok(None);
        };
        match self.settings.variables.get(name.as_str()) {
            Some(url) => Ok(Some(url)),
            None => {
                let message = format!("nothing was tried: the variable {name} is not set");
                Err(Box::new(Finding::error(message)))
            }
        }
    }

    /// Each with the URL of its own tenant.
    fn connect_as_tenants(&self, url: &Secret, attempts: &mut [Attempt<'_>]) -> Result<(), Box<Finding>> {
        for attempt in attempts {
            let name = &attempt.own.name;
            let text = of_tenant(url, name.as_str());
            let unreadable = || Box::new(Finding::error("`try_url` makes no URL for it").tenant(name));
            let parsed = database_url::parse(text.expose()).map_err(|_| unreadable())?;
            if parsed.kind != self.kind() {
                return Err(Box::new(
                    Finding::error("`try_url` is for another engine").tenant(name),
                ));
            }
            for part in parsed.secret_parts() {
                self.redactor.add(part.expose());
            }
            attempt.role = parsed.user.clone().unwrap_or_default();
            attempt.url = Some(parsed);
        }
        Ok(())
    }
}

/// A server that gave no answer blocks; where it must not be learnt, or cannot, the question stays open.
fn not_learnt(unlearnt: Unlearnt) -> Vec<Finding> {
    let told = |it: Finding| {
        if it.operational && !unlearnt.not_allowed {
            return it;
        }
        let mut told = Finding::warning(format!(
            "where tables belong that are on both sides could not be learnt: {}",
            it.message
        ));
        (told.hint, told.file) = (it.hint, it.file);
        told
    };
    unlearnt.findings.into_iter().map(told).collect()
}

/// What is said of no tenant in particular says of which server it is.
fn on_servers(scenes: &[Scene<'_>], of: impl Fn(&Scene<'_>) -> Vec<Finding>) -> Vec<Finding> {
    let told = |scene: &Scene<'_>| {
        let server = scene.borders.server.clone();
        of(scene)
            .into_iter()
            .map(move |mut it| {
                if let (Some(server), None) = (&server, &it.tenant) {
                    it.message = format!("server {server}: {}", it.message);
                }
                it
            })
            .collect::<Vec<_>>()
    };
    scenes.iter().flat_map(told).collect()
}
