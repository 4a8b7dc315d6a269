//! Tells GitHub that a run has begun, and what came of it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use crate::domain::{Check, CheckDefinition, Finding, Report};
use crate::github::check_run::{self, CheckRun};
use crate::github::comment::{self, How, Posting};
use crate::github::event::{self, Commit, Occasion};
use crate::github::status::{self, Status, Written};
use crate::github::{Client, GithubError, pulls};
use crate::report::comment::RunId;
use crate::rollout::Stop;
use crate::run::{Command, Request};
use crate::settings::{Invocation, Publishing, Settings};

pub const COMMENT: CheckDefinition = CheckDefinition {
    id: "publish.comment",
    title: "the pull request was told, where it can be",
};
pub const STATUS: CheckDefinition = CheckDefinition {
    id: "publish.status",
    title: "the commit's status was set, where it can be",
};
pub const CHECK_RUN: CheckDefinition = CheckDefinition {
    id: "publish.check-run",
    title: "the check run was completed, where it can be",
};

/// How long GitHub is waited for when a run begins; the run itself waits for nothing.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(10);
/// The same at its end.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is left of the first when the run is told to end: what was sent is answered by then, or never.
const MOMENT_AT_FIRST: Duration = Duration::from_secs(1);
/// What is left of the second: the runner kills ten seconds after it asked.
const LAST_MOMENT: Duration = Duration::from_secs(4);

/// What GitHub has of a run.
#[derive(Debug, Default)]
pub struct Posted {
    pub comment_url: Option<String>,
    /// The report was given checks about the posting.
    pub noted: bool,
}

/// What is left where, from the first word to the last. Outside GitHub Actions it does nothing.
pub struct Publisher<'a> {
    request: &'a Request,
    settings: &'a Settings,
    invocation: &'a Invocation,
    wanted: Publishing,
    run: RunId,
    begun: Option<Begun>,
}

/// Who is told, and what they were told when the run began.
struct Begun {
    client: Client,
    occasion: Occasion,
    check_run: Option<Result<CheckRun, GithubError>>,
}

impl<'a> Publisher<'a> {
    pub fn new(request: &'a Request, settings: &'a Settings, invocation: &'a Invocation) -> Self {
        let nothing = Publishing {
            comment: false,
            status: false,
            check_run: false,
        };
        let actions = invocation.actions.as_ref().filter(|_| invocation.in_actions);
        let wanted = match request.command {
            // A person's own doing, and no word about a change.
            Command::Status
            | Command::Relabel
            | Command::Rollback
            | Command::Baseline
            | Command::Snapshot => nothing,
            // Its word is in the log's annotations and in SARIF; the light is `promote`'s and `run`'s.
            Command::Lint => nothing,
            // One light for many jobs would show the last one's colour.
            _ if request.shard.is_some() => nothing,
            // It says nothing about a change.
            Command::Check => Publishing {
                comment: false,
                ..settings.publishing
            },
            Command::Run | Command::Migrate | Command::Plan | Command::Validate | Command::Promote => {
                settings.publishing
            }
        };
        Self {
            request,
            settings,
            invocation,
            wanted: if actions.is_some() { wanted } else { nothing },
            run: RunId {
                id: actions.map_or(0, |it| it.run_id),
                attempt: actions.map_or(1, |it| it.run_attempt),
            },
            begun: None,
        }
    }

    fn wants_something(&self) -> bool {
        self.wanted.comment || self.wanted.status || self.wanted.check_run
    }

    /// Says that the gate is at work. What fails here is told at the end, when it fails again.
    pub async fn begin(&mut self, stop: &Stop) {
        let Some(actions) = self
            .invocation
            .actions
            .as_ref()
            .filter(|_| self.wants_something())
        else {
            return;
        };
        let Ok(client) = Client::new(actions) else { return };
        let mut begun = Begun {
            client,
            occasion: event::read(actions),
            check_run: None,
        };
        let (_, check_run) = tokio::join!(
            patiently(PATIENCE_AT_FIRST, stop, MOMENT_AT_FIRST, self.pending(&begun)),
            patiently(
                PATIENCE_AT_FIRST,
                stop,
                MOMENT_AT_FIRST,
                self.start_check_run(&begun)
            ),
        );
        begun.check_run = check_run.unwrap_or_else(|| Some(Err(late("POST"))));
        self.begun = Some(begun);
    }

    fn context(&self) -> String {
        let environment = &self.settings.environment.name;
        let command = self.request.command.as_str();
        let project = self.settings.name.as_str();
        let project = (!self.is_the_only_project()).then_some(project);
        status::context(environment, command, self.request.dry_run, project)
    }

    /// The one whose config is where everybody looks for it, as far as is known.
    fn is_the_only_project(&self) -> bool {
        let workspace = self.invocation.workspace.as_deref();
        let workspace = workspace.and_then(|path| Path::new(path).canonicalize().ok());
        let file = self.settings.file.canonicalize().ok();
        let place = file.zip(workspace).and_then(|(file, workspace)| {
            let place = file.strip_prefix(workspace).ok()?;
            Some(place == Path::new("tenantgate.toml"))
        });
        place.unwrap_or(true)
    }

    async fn pending(&self, begun: &Begun) {
        if let Some(commit) = begun.occasion.commit.sha().filter(|_| self.wanted.status) {
            let status = Status::pending(self.context(), self.invocation.run_url.as_deref(), self.run);
            let _ = status::write(&begun.client, commit, &status, self.run).await;
        }
    }

    async fn start_check_run(&self, begun: &Begun) -> Option<Result<CheckRun, GithubError>> {
        let commit = begun.occasion.commit.sha().filter(|_| self.wanted.check_run)?;
        let start = check_run::Start {
            commit,
            name: &self.context(),
            run: self.run,
            run_url: self.invocation.run_url.as_deref(),
            started_at: Timestamp::now(),
        };
        Some(check_run::start(&begun.client, &start).await)
    }

    /// Says what came of the run, and puts into the report what GitHub did not take.
    pub async fn finish(&mut self, report: &mut Report, stop: &Stop) -> Posted {
        if !self.wants_something() {
            return Posted::default();
        }
        let mut posted = Posted {
            noted: true,
            ..Posted::default()
        };
        let Some(begun) = self.begun.take() else {
            report.checks.extend(self.untold());
            return posted;
        };
        let (comment, status, check_run) = tokio::join!(
            patiently(PATIENCE, stop, LAST_MOMENT, self.comment(&begun, report)),
            patiently(PATIENCE, stop, LAST_MOMENT, self.status(&begun, report)),
            patiently(PATIENCE, stop, LAST_MOMENT, self.check_run(&begun, report)),
        );
        let overdue = || vec![self.refused(begun.occasion.from_fork, &late("POST"), None)];
        let (url, comment) = comment.unwrap_or_else(|| (None, overdue()));
        posted.comment_url = url;
        let answers = [
            (self.wanted.comment, &COMMENT, comment),
            (self.wanted.status, &STATUS, status.unwrap_or_else(overdue)),
            (
                self.wanted.check_run,
                &CHECK_RUN,
                check_run.unwrap_or_else(overdue),
            ),
        ];
        let answers = answers.into_iter().filter(|(wanted, ..)| *wanted);
        report
            .checks
            .extend(answers.map(|(_, check, findings)| Check::answered(check, findings)));
        posted
    }

    /// A run that came to no report must not leave a light that stays yellow.
    pub async fn give_up(&mut self, stop: &Stop) {
        let Some(begun) = self.begun.take() else { return };
        let status = async {
            if let Some(commit) = begun.occasion.commit.sha().filter(|_| self.wanted.status) {
                let status = Status::lost(self.context(), self.invocation.run_url.as_deref(), self.run);
                let _ = status::write(&begun.client, commit, &status, self.run).await;
            }
        };
        let check_run = async {
            if let Some(Ok(check_run)) = &begun.check_run {
                let _ = check_run::abandon(&begun.client, check_run).await;
            }
        };
        let both = async { tokio::join!(status, check_run) };
        let _ = patiently(PATIENCE, stop, LAST_MOMENT, both).await;
    }

    async fn comment(&self, begun: &Begun, report: &Report) -> (Option<String>, Vec<Finding>) {
        if !self.wanted.comment {
            return (None, Vec::new());
        }
        let pulls = match pulls::find(&begun.client, &begun.occasion.pull_requests).await {
            Ok(pulls) => pulls,
            Err(error) => {
                return (
                    None,
                    vec![self.refused(begun.occasion.from_fork, &error, error.hint())],
                );
            }
        };
        let notes = begun.occasion.notes.iter().chain(&pulls.notes);
        let mut findings: Vec<Finding> = notes.map(|note| self.note(note)).collect();
        let environments: Vec<_> = self
            .settings
            .environments
            .iter()
            .map(|it| it.name.clone())
            .collect();
        let mut url = None;
        for number in pulls.numbers {
            let posting = Posting {
                report,
                run: self.run,
                environments: &environments,
                limit: comment::LIMIT,
            };
            match comment::upsert(&begun.client, number, posting).await {
                Ok(posted) => {
                    findings.extend(posted.notes.iter().map(|note| self.note(note)));
                    if posted.how == How::NewerStands {
                        let newer = format!("a newer run has told pull request #{number} already");
                        findings.push(self.note(&newer));
                    }
                    url = url.or(Some(posted.url));
                }
                Err(error) => findings.push(self.refused(begun.occasion.from_fork, &error, error.hint())),
            }
        }
        (url, findings)
    }

    async fn status(&self, begun: &Begun, report: &Report) -> Vec<Finding> {
        if !self.wanted.status {
            return Vec::new();
        }
        let commit = match &begun.occasion.commit {
            Commit::Known(commit) => commit,
            Commit::None(why) => return vec![self.note(why)],
        };
        let status = Status {
            context: self.context(),
            ..Status::of(report, self.run)
        };
        match status::write(&begun.client, commit, &status, self.run).await {
            Ok(Written::Written) => Vec::new(),
            Ok(Written::NewerStands) => vec![self.note("a newer run has set this status already")],
            Err(error) => vec![self.refused(begun.occasion.from_fork, &error, error.hint())],
        }
    }

    async fn check_run(&self, begun: &Begun, report: &Report) -> Vec<Finding> {
        let folder = self.invocation.folder.as_deref().unwrap_or_default();
        let outcome = match &begun.check_run {
            None => return Vec::new(),
            Some(Err(error)) => return vec![self.refused(begun.occasion.from_fork, error, error.hint())],
            Some(Ok(begun_run)) => {
                check_run::complete(&begun.client, begun_run, report, folder, Timestamp::now()).await
            }
        };
        match outcome {
            Ok(()) => Vec::new(),
            Err(error) => vec![self.refused(begun.occasion.from_fork, &error, error.hint())],
        }
    }

    /// A fork's token may only read: that is no fault of anybody's.
    fn refused(&self, from_fork: bool, error: &dyn std::fmt::Display, hint: Option<String>) -> Finding {
        if from_fork {
            return self
                .note("this change comes from a fork, whose token may only read")
                .hint("the step summary and the exit code say everything");
        }
        let redactor = crate::secrets::redactor(self.settings);
        let mut finding = Finding::warning(redactor.redact(&error.to_string()));
        finding.hint = hint.map(|hint| redactor.redact(&hint));
        finding
    }

    fn note(&self, text: &str) -> Finding {
        Finding::note(crate::secrets::redactor(self.settings).redact(text))
    }

    /// There is nobody to tell it to: said once.
    fn untold(&self) -> Option<Check> {
        let actions = self.invocation.actions.as_ref()?;
        let error = Client::new(actions).err()?;
        let finding = match error {
            GithubError::NoToken => Finding::warning("GitHub was not told, because there is no token").hint(
                "pass `github-token` to the action, or `GITHUB_TOKEN: ${{ github.token }}` to the step; or say \
                 so: `--comment never --status never`",
            ),
            error => self.refused(false, &error, error.hint()),
        };
        let check = if self.wanted.comment { &COMMENT } else { &STATUS };
        Some(Check::answered(check, vec![finding]))
    }
}

/// None: it was not done in time.
async fn patiently<T>(
    patience: Duration,
    stop: &Stop,
    moment: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    timeout(patience, stop.hurried(moment, work)).await.ok().flatten()
}

fn late(method: &'static str) -> GithubError {
    GithubError::Unanswered {
        method,
        route: "/".to_owned(),
        message: "it did not answer in time".to_owned(),
    }
}
