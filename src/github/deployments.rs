//! Evidence in GitHub's deployments: a deployment per run, with the envelope as its payload.
//!
//! Whoever may write deployments may write one that looks like ours. So only those of trusted creators
//! are read; and since every workflow of the repository is the same creator, a team that does not trust
//! every branch's workflows gives the runs a signing key in the environment's secrets.
//!
//! <https://docs.github.com/rest/deployments/deployments>,
//! <https://docs.github.com/rest/deployments/statuses>

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::domain::words::{clip, count};
use crate::domain::{EnvironmentName, KeyRing, SigningKey, Verdict};
use crate::promotion::{
    Envelope, Evidence, EvidenceStore, Opened, Record, Records, Rejected, Rejection, State, StoreError,
    Unopened, Wanted,
};
use crate::settings::{Actions, Settings};

use super::{Client, GithubError};

const TASK: &str = "tenantgate";
/// GitHub names no limit for a payload; texts of its database end at 65,535 bytes. Well below, since a
/// page of them is a hundred.
const PAYLOAD_LIMIT: usize = 40_000;
/// Of deployments and of their statuses.
const DESCRIPTION_LIMIT: usize = 140;
/// Of 100 deployments each, the newest first.
const PAGES: usize = 20;
/// How many passes of one set are looked at, the newest first: older ones only lengthen the soak.
const LOOKED_AT: usize = 50;
const TRIES: usize = 3;

pub struct DeploymentStore {
    client: Client,
    keys: KeyRing,
    signing: Option<SigningKey>,
    trusted_creators: Vec<String>,
    /// What GitHub calls the environments, where that is another name.
    names: BTreeMap<EnvironmentName, String>,
    sha: String,
    run_url: Option<String>,
    /// Before a request is repeated.
    pause: Duration,
}

impl DeploymentStore {
    pub fn new(client: Client, settings: &Settings, actions: &Actions, run_url: Option<&str>) -> Self {
        let names = settings.environments.iter().filter_map(|environment| {
            let name = environment.github_environment.clone()?;
            Some((environment.name.clone(), name))
        });
        Self {
            client,
            keys: settings.promotion.public_keys.clone(),
            signing: settings.signing_key.clone(),
            trusted_creators: settings.promotion.trusted_creators.clone(),
            names: names.collect(),
            sha: actions.sha.clone(),
            run_url: run_url.map(str::to_owned),
            pause: Duration::from_secs(1),
        }
    }

    fn name<'a>(&'a self, environment: &'a EnvironmentName) -> &'a str {
        self.names
            .get(environment)
            .map_or(environment.as_str(), String::as_str)
    }

    fn listing(&self, environment: &EnvironmentName) -> String {
        let name = utf8_percent_encode(self.name(environment), NON_ALPHANUMERIC);
        self.client
            .repo(&format!("/deployments?environment={name}&task={TASK}"))
    }

    fn failed(&self, action: &'static str, error: GithubError) -> StoreError {
        let permission = if action == "read" { "read" } else { "write" };
        let forbidden = matches!(
            error,
            GithubError::Refused {
                status: 403 | 404,
                ..
            }
        );
        let hint = error.hint();
        let named = hint.as_ref().is_some_and(|hint| hint.contains("deployments: "));
        let hint = if forbidden && !named {
            Some(format!("give the job `permissions: deployments: {permission}`"))
        } else {
            hint
        };
        StoreError {
            action,
            place: format!("the deployments of {}", self.client.repository),
            source: Box::new(error),
            hint,
        }
    }

    fn trusts(&self, creator: &str) -> bool {
        self.trusted_creators
            .iter()
            .any(|known| known.eq_ignore_ascii_case(creator))
    }

    // --- reading ---

    /// A deployment's envelope, as far as it may be looked at.
    fn open(&self, deployment: &Value, environment: &EnvironmentName) -> Result<Opened, Unopened> {
        let text = payload_text(&deployment["payload"]);
        let opened = Evidence::open(&text, self.keys.of(environment));
        let creator = login(deployment);
        if self.trusts(creator) {
            return opened;
        }
        Err(Unopened {
            why: Rejection::Creator(clip(creator, 60)),
            claims: match opened {
                Ok(opened) => Some(opened.evidence.digest),
                Err(unopened) => unopened.claims,
            },
        })
    }

    /// What the newest final status of a trusted creator says. `inactive` is none: GitHub adds it by
    /// itself where something newer went to the same environment.
    async fn state(&self, deployment: &Value) -> Result<State, GithubError> {
        let route = self
            .client
            .repo(&format!("/deployments/{}/statuses", id(deployment)));
        let (statuses, _) = self.client.list(&route, None, 2).await?;
        let newest = statuses
            .iter()
            .filter(|status| self.trusts(login(status)))
            .filter(|status| matches!(text(&status["state"]), "success" | "failure" | "error"))
            .max_by_key(|status| (text(&status["created_at"]), id(status)));
        Ok(match newest.map(|status| text(&status["state"])) {
            None => State::Unfinished,
            Some("success") => State::Complete,
            Some(_) => State::Contradicted,
        })
    }

    // --- writing ---

    fn deployment(&self, evidence: &Evidence, envelope: &Envelope) -> Value {
        json!({
            "ref": self.sha,
            "task": TASK,
            "auto_merge": false,
            "required_contexts": [],
            "payload": envelope,
            "environment": self.name(&evidence.predicate.environment),
            "description": description(evidence),
            "transient_environment": false,
            "production_environment": false,
        })
    }

    /// The number of this run's deployment. After an answer that leaves open whether it was made, it is
    /// looked for: a second one would be a second record.
    async fn create(&self, evidence: &Evidence, envelope: &Envelope) -> Result<u64, GithubError> {
        let route = self.client.repo("/deployments");
        let body = self.deployment(evidence, envelope);
        let mut tried = 1;
        loop {
            let error = match self.client.post(&route, &body).await {
                Ok(answer) => return Ok(id(&answer)),
                Err(error) => error,
            };
            if !error.is_ambiguous() {
                return Err(error);
            }
            tokio::time::sleep(self.pause).await;
            match self.find(evidence, envelope).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) if tried < TRIES => tried += 1,
                _ => return Err(error),
            }
        }
    }

    /// The payload holds the run and the time, so no other run's is the same.
    async fn find(&self, evidence: &Evidence, envelope: &Envelope) -> Result<Option<u64>, GithubError> {
        let listing = self.listing(&evidence.predicate.environment);
        let (deployments, _) = self.client.list(&listing, None, 1).await?;
        let ours = |it: &&Value| {
            let there = Envelope::parse(&payload_text(&it["payload"]));
            there.is_ok_and(|there| there.holds_the_same_as(envelope))
        };
        Ok(deployments.iter().find(ours).map(id))
    }

    /// The newest one counts, so that it does no harm to say it twice.
    async fn say(&self, deployment: u64, state: &str, evidence: &Evidence) -> Result<(), GithubError> {
        let route = self.client.repo(&format!("/deployments/{deployment}/statuses"));
        let mut body = json!({
            "state": state,
            "description": description(evidence),
            "environment": self.name(&evidence.predicate.environment),
            "auto_inactive": false,
        });
        if let Some(url) = &self.run_url {
            body["log_url"] = json!(url);
        }
        let mut tried = 1;
        loop {
            match self.client.post(&route, &body).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_ambiguous() && tried < TRIES => tried += 1,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.pause).await;
        }
    }
}

#[async_trait]
impl EvidenceStore for DeploymentStore {
    async fn read(&self, wanted: &Wanted<'_>) -> Result<Records, StoreError> {
        let failed = |error| self.failed("read", error);
        let listing = self.listing(wanted.environment);
        let (deployments, cut_off) = self.client.list(&listing, None, PAGES).await.map_err(failed)?;
        let mut records = Records {
            cut_off,
            ..Records::default()
        };
        let mut passes = Vec::new();
        for deployment in &deployments {
            let place = format!("deployment {}", id(deployment));
            match self.open(deployment, wanted.environment) {
                Ok(Opened { evidence, signed }) => {
                    if evidence.digest == *wanted.digest && evidence.predicate.verdict == Verdict::Passed {
                        let at = evidence.predicate.finished_at;
                        passes.push((at, records.evidence.len(), deployment));
                    }
                    records.evidence.push(Record {
                        evidence,
                        signed,
                        place,
                        state: State::Complete,
                        number: Some(id(deployment)),
                    });
                }
                Err(Unopened { why, claims }) => records.rejected.push(Rejected {
                    of_this_set: claims.as_ref() == Some(wanted.digest),
                    place,
                    why,
                }),
            }
        }
        passes.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let mut settled = false;
        for (number, (_, index, deployment)) in passes.into_iter().enumerate() {
            // What was not looked at has no final state, as far as we know.
            records.evidence[index].state = State::Unfinished;
            if number < LOOKED_AT && (wanted.history || !settled) {
                let state = self.state(deployment).await.map_err(failed)?;
                records.evidence[index].state = state;
                let overridden = records.evidence[index].evidence.predicate.overridden.is_some();
                settled |= match state {
                    State::Complete => !overridden,
                    State::Contradicted => true,
                    State::Unfinished => false,
                };
            }
        }
        Ok(records)
    }

    async fn write(&self, evidence: &Evidence) -> Result<String, StoreError> {
        let failed = |error| self.failed("write", error);
        let envelope = evidence
            .sealed_within(PAYLOAD_LIMIT, self.signing.as_ref())
            .map_err(|error| StoreError {
                action: "write",
                place: format!("the deployments of {}", self.client.repository),
                source: Box::new(error),
                hint: None,
            })?;
        let deployment = self.create(evidence, &envelope).await.map_err(failed)?;
        let state = match evidence.predicate.verdict {
            Verdict::Passed => "success",
            Verdict::Blocked => "failure",
        };
        for state in ["in_progress", state] {
            self.say(deployment, state, evidence).await.map_err(failed)?;
        }
        Ok(format!("deployment {deployment} of {}", self.client.repository))
    }

    fn must_take(&self) -> bool {
        false
    }
}

fn description(evidence: &Evidence) -> String {
    let predicate = &evidence.predicate;
    let verdict = match (predicate.verdict, &predicate.overridden) {
        (Verdict::Passed, None) => "passed",
        (Verdict::Passed, Some(_)) => "passed under an override",
        (Verdict::Blocked, _) => "blocked",
    };
    let text = format!(
        "{verdict}: {} ({}), {}",
        count(predicate.migration_count(), "migration"),
        evidence.digest.short(),
        count(predicate.tenants.discovered, "tenant")
    );
    clip(&text, DESCRIPTION_LIMIT)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn id(value: &Value) -> u64 {
    value["id"].as_u64().unwrap_or_default()
}

fn login(value: &Value) -> &str {
    text(&value["creator"]["login"])
}

/// Older servers give back as text what was sent as an object.
fn payload_text(payload: &Value) -> String {
    match payload {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_as_object_and_as_text() {
        let envelope = Envelope::seal(b"{}", None);
        let object = serde_json::to_value(&envelope).expect("JSON");
        let text = Value::String(object.to_string());
        for payload in [object, text] {
            let read = Envelope::parse(&payload_text(&payload)).expect("an envelope");
            assert!(read.holds_the_same_as(&envelope));
        }
        assert!(Envelope::parse(&payload_text(&Value::Null)).is_err());
    }
}
