//! May this change enter the environment? And if not: may somebody let it in all the same?

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::domain::{Check, Finding, Override};
use crate::github::{Client, GithubError, is_member};
use crate::promotion::{self, Call, Demands, Permission, RecordedSchema, Wanted};
use crate::settings::Team;

use super::drift::series;
use super::evidence::late;
use super::{Gate, Stage};

impl Gate<'_> {
    pub(super) async fn promote(&mut self) -> anyhow::Result<Stage<()>> {
        let since = Instant::now();
        let mut checks = self.promotion_checks().await?;
        // Who told it to end is not overridden.
        let reason = self.request.overriding.clone();
        if let Some(reason) = reason.filter(|_| !self.stop.requested()) {
            let (check, permitted) = self.ask_permission().await;
            checks.push(check);
            if let Some(actor) = permitted {
                let (lowered, needed) = promotion::set_aside(checks);
                checks = lowered;
                let finding = if needed {
                    let reason = self.redactor.redact(&reason);
                    let finding =
                        Finding::warning(format!("{actor} set the promotion rules aside: {reason}"));
                    self.overridden = Some(Override { actor, reason });
                    finding
                } else {
                    Finding::note(
                        "the override was not needed: the promotion rules hold, and nothing was set aside",
                    )
                };
                checks.retain(|check| check.id != promotion::OVERRIDE.id);
                checks.push(Check::answered(&promotion::OVERRIDE, vec![finding]));
            }
        }
        if self.would_be_evidence() {
            let next = self.settings.next().map(|it| &it.name);
            let keys = self
                .settings
                .promotion
                .public_keys
                .of(&self.settings.environment.name);
            let signing = self.settings.signing_key.as_ref();
            checks.extend(promotion::will_be_signed(next, keys, signing));
        }
        Ok(self.add(checks, since))
    }

    pub(super) async fn promotion_checks(&mut self) -> anyhow::Result<Vec<Check>> {
        let environment = &self.settings.environment;
        let evidence = |finding| vec![Check::answered(&promotion::EVIDENCE, vec![finding])];
        let Some(after) = &environment.after else {
            let message = format!("{} comes first: nothing has to pass before it", environment.name);
            return Ok(evidence(Finding::note(message)));
        };
        let loaded = self
            .loaded
            .as_ref()
            .context("the migration set is loaded before promotion")?;
        let store = match self.store() {
            Ok(store) => store,
            Err(finding) => return Ok(evidence(*finding)),
        };
        let wanted = Wanted {
            environment: after,
            digest: &loaded.set.digest(),
            history: environment.soak.is_some(),
        };
        let read = self.stop.hurried(Duration::ZERO, store.read(&wanted)).await;
        let records = match read.unwrap_or_else(|| Err(late("read"))) {
            Ok(records) => records,
            Err(error) => {
                let mut finding = Finding::error(error.to_string()).operational(true);
                finding.hint = error.hint;
                return Ok(evidence(finding));
            }
        };
        let rules = &self.settings.promotion;
        let actions = self.invocation.actions.as_ref();
        let demands = Demands {
            project: &self.settings.name,
            repository: actions.map(|it| it.repository.as_str()),
            after,
            soak: environment.soak,
            max_age: environment.max_age,
            signed: !rules.public_keys.of(after).is_empty(),
            overridden_counts: rules.overriding.counts,
        };
        let judged = promotion::judge(&demands, &loaded.set, &records, store.now());
        let demanded = |check: &Check| match check.id.as_str() {
            id if id == promotion::SOAK.id => demands.soak.is_some(),
            id if id == promotion::MAX_AGE.id => demands.max_age.is_some(),
            _ => true,
        };
        self.promotion = Some(judged.summary);
        self.accepted = judged.accepted;
        self.predecessor = judged.schema;
        Ok(judged.checks.into_iter().filter(demanded).collect())
    }

    /// What this environment was when it last passed with whatever migrations, on a server of this series.
    /// Where there is no evidence, or nobody can tell, nothing is known.
    pub(super) async fn recorded_here(&self) -> Option<RecordedSchema> {
        let store = self.store().ok()?;
        let wanted = Wanted {
            environment: &self.settings.environment.name,
            digest: &self.loaded.as_ref()?.set.digest(),
            history: true,
        };
        let read = self.stop.hurried(Duration::ZERO, store.read(&wanted)).await;
        let records = read?.ok()?;
        let recorded = promotion::last_schema(&self.settings.name, wanted.environment, &records)?;
        let here = self.server.as_deref().map(series);
        (recorded.server == here).then_some(recorded)
    }

    /// The answer, and who sets the rules aside where that is allowed.
    async fn ask_permission(&self) -> (Check, Option<String>) {
        let call = Call {
            in_actions: self.invocation.in_actions,
            actions: self.invocation.actions.as_ref(),
        };
        let rules = &self.settings.promotion.overriding;
        let refused = |finding| (Check::answered(&promotion::OVERRIDE, vec![finding]), None);
        let people = match promotion::permission(rules, call) {
            Permission::Refused(finding) => return refused(*finding),
            Permission::Given(people) => people,
            Permission::AskTeams {
                people,
                unlisted,
                teams,
            } => {
                for person in unlisted {
                    let asked = self.stop.hurried(Duration::ZERO, self.in_one_of(teams, person));
                    match asked.await.unwrap_or_else(|| Err(unasked())) {
                        Ok(true) => {}
                        Ok(false) => return refused(promotion::not_allowed(person, people.len() > 1)),
                        Err(error) => return refused(unknown_member(person, &error)),
                    }
                }
                people
            }
        };
        let answered = Check::answered(&promotion::OVERRIDE, Vec::new());
        // Whoever pressed the button last did it.
        (answered, people.last().map(|it| (*it).to_owned()))
    }

    /// An unanswered question about one team does no harm where another one answers yes.
    async fn in_one_of(&self, teams: &[Team], person: &str) -> Result<bool, GithubError> {
        let actions = self.invocation.actions.as_ref();
        let client = Client::new(actions.ok_or(GithubError::NoToken)?)?;
        let mut unanswered = None;
        for team in teams {
            match is_member(&client, team, person).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => unanswered = Some(error),
            }
        }
        unanswered.map_or(Ok(false), Err)
    }
}

/// The run was told to end meanwhile.
fn unasked() -> GithubError {
    GithubError::Unanswered {
        method: "GET",
        route: "/orgs".to_owned(),
        message: "it did not answer in time".to_owned(),
    }
}

fn unknown_member(person: &str, error: &GithubError) -> Finding {
    Finding::error(format!(
        "cannot find out whether {person} is in a team that may set the promotion rules aside: {error}"
    ))
    .hint(
        "a workflow's own token cannot read teams: pass one that may (organisation permission Members: read), or list \
         the people as `actors` in [promotion.override]",
    )
    .operational(true)
}
