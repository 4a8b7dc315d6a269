//! Where evidence is kept, and the record that this run leaves there.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::domain::{Check, Finding, Fingerprint, MigrationSet, Report, TenantCounts, Verdict};
use crate::github::{Client, DeploymentStore};
use crate::promotion::{
    self, Evidence, EvidenceStore, FolderStore, Predicate, RecordedMigration, RecordedSchema, RolledBack,
    StoreError,
};
use crate::settings::Store;

use super::drift::series;
use super::{Command, Gate, Stage};

/// How long a store is waited for when the work is done.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same when the run was told to end, and something has to be left to tell others so.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// Of a store that drew it out.
pub(super) fn late(action: &'static str) -> StoreError {
    StoreError {
        action,
        place: "the deployments on GitHub".to_owned(),
        source: "it did not answer in time".into(),
        hint: None,
    }
}

impl Gate<'_> {
    /// The store that the settings and the runner name.
    pub(super) fn store(&self) -> Result<Box<dyn EvidenceStore>, Box<Finding>> {
        let settings = self.settings;
        let nowhere = || Finding::error("there is no place where evidence could be");
        let known = self.invocation.actions.as_ref();
        let with_token = known.filter(|actions| actions.token.is_some());
        let folder = match &settings.promotion.store {
            Store::Folder(folder) => Some(folder),
            // A runner's folder is gone with the job, and with it what the next environment wants to see.
            Store::Auto(folder) if !(self.invocation.in_actions && with_token.is_some()) => folder.as_ref(),
            Store::Auto(_) | Store::Github => None,
        };
        if let Some(folder) = folder {
            let keys = &settings.promotion.public_keys;
            let store = FolderStore::new(folder, keys, settings.signing_key.as_ref());
            return Ok(Box::new(store));
        }
        let actions = match (&settings.promotion.store, known) {
            (_, None) => {
                return Err(Box::new(nowhere().hint(
                    "a step of a workflow has it on GitHub; elsewhere set GITHUB_REPOSITORY and GITHUB_TOKEN to ask \
                     there, or name a folder with `--evidence DIR`",
                )));
            }
            (Store::Auto(_), Some(actions)) if actions.token.is_none() => {
                return Err(Box::new(nowhere().hint(
                    "pass this step a token with the permission `deployments`, to keep it on GitHub; or name a \
                     folder: `--evidence DIR`",
                )));
            }
            (_, Some(actions)) => actions,
        };
        match Client::new(actions) {
            Ok(client) => {
                let run_url = self.invocation.run_url.as_deref();
                Ok(Box::new(DeploymentStore::new(client, settings, actions, run_url)))
            }
            Err(error) => {
                let finding = Finding::error(format!("cannot ask GitHub for evidence: {error}"));
                let finding = match error.hint() {
                    Some(hint) => finding.hint(hint),
                    None => finding.hint("pass this step a token with the permission `deployments`"),
                };
                Err(Box::new(finding.operational(true)))
            }
        }
    }

    /// A run of the whole set for all tenants, if it comes as far as the database.
    pub(super) fn would_be_evidence(&self) -> bool {
        self.request.command == Command::Run && !self.request.dry_run && self.request.is_whole()
    }

    /// Writes the evidence, last: it must not say more than the report. Where a folder does not take it
    /// the run is blocked, because what comes after it could not know; where GitHub does not, the next
    /// environment stays shut, and the work on the database is done all the same.
    pub(super) async fn record(&self, report: &mut Report) {
        self.keep(report, report.verdict, None).await;
    }

    /// Says that what passed here was taken back: the next environment must not build on it.
    pub(super) async fn record_rollback(&self, report: &mut Report, rolled_back: RolledBack) {
        self.keep(report, Verdict::Blocked, Some(rolled_back)).await;
    }

    async fn keep(&self, report: &mut Report, verdict: Verdict, rolled_back: Option<RolledBack>) {
        let Some(set) = self.loaded.as_ref().map(|loaded| &loaded.set) else {
            return;
        };
        let store = match self.store() {
            Ok(store) => store,
            Err(why) if rolled_back.is_some() => return self.rolled_back_unsaid(report, *why),
            Err(why) => return self.warn_of_no_evidence(report, *why),
        };
        let predicate = Predicate {
            rolled_back: rolled_back.clone(),
            schema: recorded_schema(report),
            overridden: report.overridden.clone(),
            lint: match verdict {
                Verdict::Passed => self.lint_warnings(),
                Verdict::Blocked => Vec::new(),
            },
            ..self.predicate(verdict, report.tenants.clone(), set)
        };
        let findings = match self.write(store.as_ref(), set, predicate).await {
            Ok(place) => {
                report.evidence = Some(place);
                Vec::new()
            }
            // A pass that could not be kept shuts the next environment; this would leave it open.
            Err(error) if store.must_take() || (rolled_back.is_some() && self.settings.next().is_some()) => {
                report.verdict = Verdict::Blocked;
                let mut finding = Finding::error(error.to_string()).operational(true);
                finding.hint = error.hint;
                vec![finding]
            }
            Err(error) => {
                let mut finding = Finding::warning(format!("{error}{}", self.stays_shut()));
                let hint = error
                    .hint
                    .map_or_else(String::new, |hint| format!("{hint}; then "));
                finding.hint = Some(format!(
                    "{hint}run `tenantgate run --environment {}` again: there is nothing left to do but the record",
                    self.settings.environment.name
                ));
                vec![finding]
            }
        };
        report
            .checks
            .push(Check::answered(&promotion::RECORDED, findings));
    }

    /// The same before the first of it, since a run that is killed on the way says nothing any more. What
    /// cannot be recorded is not begun where another environment comes after this one.
    pub(super) async fn announce_rollback(&mut self, rolled_back: RolledBack) -> Stage<()> {
        let Some(next) = self.settings.next().map(|it| it.name.clone()) else {
            return Ok(());
        };
        let since = Instant::now();
        let set = self.set();
        let predicate = Predicate {
            rolled_back: Some(rolled_back),
            ..self.predicate(Verdict::Blocked, self.tenants.clone(), set)
        };
        let written = match self.store() {
            // The report says so at its end.
            Err(why) if !why.operational => return Ok(()),
            Err(why) => Err((why.message, why.hint)),
            Ok(store) => {
                let written = self.write(store.as_ref(), set, predicate).await;
                written.map_err(|error| (error.to_string(), error.hint))
            }
        };
        let Err((message, hint)) = written else {
            return Ok(());
        };
        let mut finding = Finding::error(format!(
            "{message}; nothing was taken back, because {next} could still be let in by what passed here before"
        ));
        finding.hint = hint;
        self.add(
            vec![Check::answered(
                &promotion::RECORDED,
                vec![finding.operational(true)],
            )],
            since,
        )
    }

    async fn write(
        &self,
        store: &dyn EvidenceStore,
        set: &MigrationSet,
        predicate: Predicate,
    ) -> Result<String, StoreError> {
        let evidence = Evidence {
            digest: set.digest(),
            predicate,
        };
        let written = timeout(PATIENCE, self.stop.hurried(LAST_MOMENT, store.write(&evidence))).await;
        written.ok().flatten().unwrap_or_else(|| Err(late("write")))
    }

    fn predicate(&self, verdict: Verdict, tenants: Option<TenantCounts>, set: &MigrationSet) -> Predicate {
        let actions = self.invocation.actions.as_ref();
        Predicate {
            project: self.settings.name.clone(),
            repository: actions.map(|it| it.repository.clone()),
            environment: self.settings.environment.name.clone(),
            verdict,
            finished_at: jiff::Timestamp::now(),
            tenants: tenants.unwrap_or_default(),
            migrations: RecordedMigration::all(set),
            migration_count: None,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            commit: self.invocation.commit.clone(),
            run_url: self.invocation.run_url.clone(),
            run_id: actions.map(|it| it.run_id),
            run_attempt: actions.map(|it| it.run_attempt),
            actor: self.invocation.actor.clone(),
            overridden: None,
            lint: Vec::new(),
            schema: None,
            rolled_back: None,
        }
    }

    fn stays_shut(&self) -> String {
        self.settings
            .next()
            .map_or_else(String::new, |next| format!(": {} stays shut", next.name))
    }

    /// The work is done, and the evidence that the next environment reads does not know of it.
    fn rolled_back_unsaid(&self, report: &mut Report, why: Finding) {
        let Some(next) = self.settings.next() else { return };
        let mut finding = Finding::error(format!(
            "this rollback could not be recorded, so {} may still be let in by what passed here before",
            next.name
        ));
        finding.hint = why.hint;
        report.verdict = Verdict::Blocked;
        report
            .checks
            .push(Check::answered(&promotion::RECORDED, vec![finding]));
    }

    /// Without a record the next environment stays shut, which is better known now than there.
    fn warn_of_no_evidence(&self, report: &mut Report, why: Finding) {
        if let Some(next) = self.settings.next() {
            let mut finding =
                Finding::warning(format!("no evidence was kept, so {} will stay shut", next.name));
            finding.hint = why.hint;
            report
                .checks
                .push(Check::answered(&promotion::RECORDED, vec![finding]));
        }
    }
}

fn recorded_schema(report: &Report) -> Option<RecordedSchema> {
    let schema = report.schema.as_ref()?;
    Some(RecordedSchema {
        server: report.server.as_deref().map(series),
        shared: schema.shared.clone().map(Fingerprint),
        tenant: (schema.tenants > 0).then(|| Fingerprint(schema.fingerprint.clone())),
    })
}
