//! The workflows as text. Pure.
//!
//! The required check has a file of its own for each environment. In a file that also runs on other events
//! its job would be skipped there, and a skipped job is a passed check, under the same name and perhaps for
//! the same commit: the push to UAT has the commit that the pull request into prod has.

use super::action_ref::ActionRef;
use super::yaml::{Scalar, list};

/// <https://github.com/actions/checkout/releases>
const CHECKOUT: &str = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";

/// Passed to every run; where there is none it arrives as an empty text, which is none.
pub(super) const SIGNING_KEY: &str = "TENANTGATE_SIGNING_KEY";

/// What the workflows need to know.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    /// `tenantgate`, or `tenantgate billing` where the config is not at the repository's root.
    pub(crate) title: String,
    /// The same in names of files.
    pub(crate) slug: String,
    /// The config's folder, where that is not the root.
    pub(crate) working_directory: Option<String>,
    /// The config's file name, where it is not the usual one.
    pub(crate) config: Option<String>,
    pub(crate) stages: Vec<Deployed>,
    pub(crate) action: ActionRef,
}

/// One environment of the config.
#[derive(Debug, Clone)]
pub(crate) struct Deployed {
    pub(crate) name: String,
    pub(crate) after: Option<String>,
    pub(crate) branch: String,
    pub(crate) github_environment: String,
    /// Names of the secrets with URLs.
    pub(crate) urls: Vec<String>,
    /// Names of all secrets, those included.
    pub(crate) secrets: Vec<String>,
}

impl Pipeline {
    /// The files by their paths from the repository's root.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let deploy = (format!(".github/workflows/{}.yml", self.slug), self.deploy());
        let promote = |stage: &Deployed| {
            let file = self.promote_file(&stage.name);
            (format!(".github/workflows/{file}"), self.promote(stage))
        };
        std::iter::once(deploy)
            .chain(self.stages.iter().map(promote))
            .collect()
    }

    /// The name that a branch's rule requires.
    pub(crate) fn check_name(&self, stage: &Deployed) -> String {
        format!("{} / promote to {}", self.title, stage.name)
    }

    /// The GitHub environment of the job that plans: another than the one that may write.
    pub(super) fn plan_environment(&self, stage: &Deployed) -> String {
        let project = self.slug.strip_prefix("tenantgate-");
        let project = project.map_or_else(String::new, |project| format!("{project}-"));
        format!("plan-{project}{}", stage.name)
    }

    fn promote_file(&self, environment: &str) -> String {
        format!("{}-to-{environment}.yml", self.slug)
    }

    fn promote(&self, stage: &Deployed) -> String {
        let predecessor = match &stage.after {
            Some(after) => format!(
                "Only where {after} has passed with exactly these migrations, whatever the commits are."
            ),
            None => "It comes first, so nothing has to pass before it; the migrations are read all the same."
                .to_owned(),
        };
        let name = self.config.as_deref().unwrap_or("tenantgate.toml");
        let folder = self.working_directory.as_deref();
        let config = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
        self.fill(include_str!("templates/promote.yml"), stage)
            .replace("%PREDECESSOR%", &predecessor)
            .replace("%CONFIG%", &config)
            .replace("%PLAN_ENVIRONMENT%", &self.plan_environment(stage))
            .replace("%URLS%", &passed(&stage.urls))
    }

    fn deploy(&self) -> String {
        let names = || self.stages.iter().map(|stage| stage.name.as_str());
        let jobs = self.stages.iter().map(|stage| self.job(stage));
        let jobs: Vec<String> = jobs.chain(self.again()).collect();
        let text = include_str!("templates/deploy.yml")
            .replace(
                "%BRANCHES%",
                &list(self.stages.iter().map(|stage| stage.branch.as_str())),
            )
            .replace("%ENVIRONMENTS%", &list(names()))
            .replace("%FIRST%", names().next().unwrap_or_default())
            .replace("%JOBS%", jobs.join("\n").trim_end());
        self.fill_common(&text)
    }

    fn job(&self, stage: &Deployed) -> String {
        self.fill(include_str!("templates/job.yml"), stage)
            .replace("%ID%", &job_id(&stage.name))
            .replace(
                "%GITHUB_ENVIRONMENT%",
                &Scalar(&stage.github_environment).to_string(),
            )
            .replace(
                "%SECRETS%",
                &passed(stage.secrets.iter().filter(|name| *name != SIGNING_KEY)),
            )
    }

    /// Environments that another one comes after.
    pub(super) fn followed(&self) -> impl Iterator<Item = &Deployed> {
        let comes_after = |stage: &Deployed| {
            self.stages
                .iter()
                .any(|it| it.after.as_ref() == Some(&stage.name))
        };
        self.stages.iter().filter(move |stage| comes_after(stage))
    }

    /// The job that asks blocked promotions again, where there are any to come.
    fn again(&self) -> Option<String> {
        let followers = |stage: &Deployed| {
            let after = self
                .stages
                .iter()
                .filter(|it| it.after.as_ref() == Some(&stage.name));
            let files: Vec<String> = after.map(|it| self.promote_file(&it.name)).collect();
            files.join(" ")
        };
        let followed: Vec<&Deployed> = self.followed().collect();
        if followed.is_empty() {
            return None;
        }
        let lines = followed.iter().map(|stage| {
            let id = job_id(&stage.name);
            format!(
                "${{{{ needs.{id}.result == 'success' && '{}' || '' }}}}",
                followers(stage)
            )
        });
        let ids: Vec<String> = followed.iter().map(|stage| job_id(&stage.name)).collect();
        let text = include_str!("templates/again.yml")
            .replace("%NEEDS%", &list(ids.iter().map(String::as_str)))
            .replace("%NEXT%", &lines.collect::<Vec<_>>().join("\n            "));
        Some(text)
    }

    fn fill(&self, template: &str, stage: &Deployed) -> String {
        self.fill_common(template)
            .replace("%ENV%", &stage.name)
            .replace("%ENV_SCALAR%", &Scalar(&stage.name).to_string())
            .replace("%BRANCH%", &stage.branch)
            .replace("%BRANCH_SCALAR%", &Scalar(&stage.branch).to_string())
    }

    fn fill_common(&self, template: &str) -> String {
        template
            .replace("%TITLE%", &self.title)
            .replace("%SLUG%", &self.slug)
            .replace("%CHECKOUT%", CHECKOUT)
            .replace("%ACTION%", &self.action.to_string())
            .replace("%WHERE%", &self.place())
    }

    /// Inputs that say where the config is.
    fn place(&self) -> String {
        let inputs = [
            ("config", &self.config),
            ("working-directory", &self.working_directory),
        ];
        let lines = inputs.into_iter().filter_map(|(key, value)| {
            let value = value.as_deref()?;
            Some(format!("          {key}: {}\n", Scalar(value)))
        });
        lines.collect()
    }
}

/// A job's id begins with a letter or `_`; an environment's name may begin with a digit.
fn job_id(environment: &str) -> String {
    if environment.starts_with(|c: char| c.is_ascii_digit()) || environment == "again" {
        format!("_{environment}")
    } else {
        environment.to_owned()
    }
}

/// Lines of `env:`.
fn passed<'a>(secrets: impl IntoIterator<Item = &'a String>) -> String {
    let line = |name: &String| format!("          {name}: ${{{{ secrets.{name} }}}}");
    secrets.into_iter().map(line).collect::<Vec<_>>().join("\n")
}
