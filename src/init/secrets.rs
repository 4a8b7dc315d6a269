//! The names of secrets in existing workflows, and what they are for.

use regex::Regex;

use crate::domain::SecretName;

use super::Rule;
use super::stages::Kind;

/// A secret that a job uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) name: String,
    /// The GitHub environment of the job.
    pub(super) environment: Option<String>,
}

impl Seen {
    /// The environment that the name is for, and the name with `{ENV}` in its place. Without one in the
    /// name, the job's GitHub environment tells.
    pub(super) fn kind(&self) -> Option<(Kind, String, Option<String>)> {
        let parts: Vec<&str> = self.name.split('_').collect();
        let ends = [(0, parts.first()), (parts.len() - 1, parts.last())];
        for (index, word) in ends {
            if let Some(kind) = word.and_then(|word| Kind::of_word(word))
                && parts.len() > 1
            {
                let mut template = parts.clone();
                let word = std::mem::replace(&mut template[index], "{ENV}");
                return Some((kind, template.join("_"), Some(word.to_owned())));
            }
        }
        let kind = Kind::of(self.environment.as_deref()?)?;
        Some((kind, self.name.clone(), None))
    }
}

/// Secrets by job. Lines are read, not YAML: a file that is none is no reason to stop.
pub(super) fn in_workflow(text: &str) -> Vec<Seen> {
    let Ok(secret) = Regex::new(r#"secrets(?:\.([A-Za-z_]\w*)|\[\s*['"]([A-Za-z_]\w*)['"]\s*\])"#) else {
        return Vec::new();
    };
    let mut seen: Vec<Seen> = Vec::new();
    for job in jobs(text) {
        let environment = environment_of(&job);
        for line in job.iter().filter(|line| !line.trim_start().starts_with('#')) {
            for found in secret.captures_iter(line) {
                let name = found.get(1).or_else(|| found.get(2));
                let Some(name) = name.map(|name| name.as_str().to_uppercase()) else {
                    continue;
                };
                let new = Seen {
                    name,
                    environment: environment.clone(),
                };
                if !new.name.starts_with("GITHUB_")
                    && SecretName::parse(&new.name).is_ok()
                    && !seen.contains(&new)
                {
                    seen.push(new);
                }
            }
        }
    }
    seen
}

/// GitHub environments of the jobs.
pub(super) fn environments_in(text: &str) -> Vec<String> {
    jobs(text).iter().filter_map(|job| environment_of(job)).collect()
}

/// The lines of each job, and first those above all jobs.
fn jobs(text: &str) -> Vec<Vec<&str>> {
    let mut jobs = vec![Vec::new()];
    let mut indent = None;
    let mut inside = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        let content = line.trim();
        if depth == 0 && !content.is_empty() && !content.starts_with('#') {
            inside = content == "jobs:" || content.starts_with("jobs: #");
            indent = None;
        } else if inside
            && depth > 0
            && !content.is_empty()
            && !content.starts_with('#')
            && *indent.get_or_insert(depth) == depth
        {
            jobs.push(Vec::new());
        }
        if let Some(job) = jobs.last_mut() {
            job.push(line);
        }
    }
    jobs
}

/// `environment: name`, or `name:` below it. An expression is none.
fn environment_of(job: &[&str]) -> Option<String> {
    let at = job
        .iter()
        .position(|line| line.trim_start().starts_with("environment:"))?;
    let value = |line: &str, key: &str| {
        let value = line.trim_start().strip_prefix(key)?.split(" #").next()?.trim();
        let value = value.trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let name = value(job[at], "environment:").or_else(|| {
        let below = job[at + 1..].iter().take(3);
        below.into_iter().find_map(|line| value(line, "name:"))
    })?;
    let plain = |c: char| c.is_alphanumeric() || " -_./()".contains(c);
    name.chars().all(plain).then_some(name)
}

/// `DEV_DB_URL`, `DATABASE_URL`, `POSTGRES_DSN`
pub(super) fn is_database_url(name: &str) -> bool {
    let parts: Vec<&str> = name.split('_').collect();
    let database = [
        "DB",
        "DATABASE",
        "POSTGRES",
        "POSTGRESQL",
        "PG",
        "MYSQL",
        "MARIADB",
        "SQLITE",
        "DIRECT",
    ];
    let address = ["URL", "URI", "DSN"];
    parts.iter().any(|part| database.contains(part)) && parts.iter().any(|part| address.contains(part))
}

/// A URL past the pooler.
pub(super) fn is_direct_url(name: &str) -> bool {
    is_database_url(name) && name.split('_').any(|part| part == "DIRECT" || part == "UNPOOLED")
}

/// The rules for what the application itself needs, and the names of the rest.
pub(super) fn rules(seen: &[Seen], prefixed: bool) -> (Vec<Rule>, Vec<String>) {
    let mut rules: Vec<Rule> = Vec::new();
    let mut rest = Vec::new();
    for secret in seen.iter().filter(|secret| !is_database_url(&secret.name)) {
        let Some((_, template, word)) = secret.kind() else {
            continue;
        };
        let min_length = match template.trim_start_matches("{ENV}_") {
            "SECRET_KEY" | "DJANGO_SECRET_KEY" => Some(50),
            "SESSION_KEY" | "SESSION_SECRET" | "JWT_SECRET" | "SECRET_KEY_BASE" => Some(32),
            "DJANGO_SETTINGS_MODULE" => None,
            _ => {
                rest.push(template);
                continue;
            }
        };
        // A word that is not the environment's own name would make another name of it.
        let fits = word.is_none() || prefixed;
        let rule = Rule { template, min_length };
        if !fits {
            rest.push(rule.template);
        } else if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rest.sort();
    rest.dedup();
    (rules, rest)
}
