//! What is left to do once the files are there: each step with the commands for it. Pure.

use super::Found;
use super::pipeline::{Deployed, Pipeline, SIGNING_KEY};
use super::told::Told;

pub(super) fn steps(told: &Told<'_>) -> Vec<String> {
    let pipeline = told.pipeline;
    let mut steps = Vec::new();
    if told.found.is_some() {
        steps.push(format!(
            "Read {}: the lines with GUESS above all.",
            told.config_path
        ));
    }
    steps.extend(pin(pipeline));
    let folder = pipeline.working_directory.as_deref();
    steps.extend(told.found.and_then(|found| fill_folders(found, folder)));
    steps.push(attempt(told));
    if !told.in_git {
        steps.push("Put this folder into a Git repository on GitHub: the workflows need one.".to_owned());
    }
    if !told.missing_branches.is_empty() {
        steps.push(format!(
            "Make the branches that do not exist yet, or name others in the workflows: {}",
            told.missing_branches.join(", ")
        ));
    }
    steps.push(secrets(&pipeline.stages));
    steps.push(limits(&pipeline.stages));
    steps.extend(signing(pipeline));
    steps.push(commit(pipeline));
    steps.push(required(pipeline));
    steps.push(plan(pipeline));
    steps.push(format!(
        "Break glass, if you want it: [promotion.override] in {} lists who may let a blocked\npromotion through; \
         now nobody may.",
        told.config_path
    ));
    steps
}

fn attempt(told: &Told<'_>) -> String {
    let flag = match told.config_path {
        "tenantgate.toml" => String::new(),
        config => format!("--config {} ", shell(config)),
    };
    let stages = &told.pipeline.stages;
    let first = stages.first().map_or("dev", |stage| stage.name.as_str());
    let url = stages.first().and_then(|stage| stage.urls.first());
    format!(
        "Try it here, with the URL of a database in {}:\ntenantgate check {flag}--environment {first}\ntenantgate \
         plan {flag}--environment {first}",
        url.map_or("the environment", String::as_str)
    )
}

fn limits(stages: &[Deployed]) -> String {
    let lines: String = stages
        .iter()
        .map(|stage| format!("\n{}: {}", stage.github_environment, stage.branch))
        .collect();
    format!(
        "Limit each GitHub environment to its branch (Settings > Environments > Deployment branches), so that no \
         other\nbranch gets its secrets:{lines}"
    )
}

fn signing(pipeline: &Pipeline) -> Option<String> {
    let line = |stage: &Deployed| {
        let environment = shell(&stage.github_environment);
        format!(
            "\ntenantgate keygen | gh secret set {SIGNING_KEY} --env {environment}   # the line goes below \
             [environments.{}]",
            stage.name
        )
    };
    let lines: String = pipeline.followed().map(line).collect();
    let step = "Sign the evidence, so that nothing else passes for it. Each command prints (on stderr) a line \
                `public_keys = [\"…\"]`\nfor the environment's own table in the config: this key alone vouches for it \
                then.";
    (!lines.is_empty()).then(|| format!("{step}{lines}"))
}

fn commit(pipeline: &Pipeline) -> String {
    let branches: Vec<&str> = pipeline
        .stages
        .iter()
        .map(|stage| stage.branch.as_str())
        .collect();
    format!(
        "Commit these files, and bring them to the branch of every environment: {}.\nA push runs the workflow as \
         the pushed branch has it; a start by hand (workflow_dispatch) needs it on the default branch, too.",
        branches.join(", ")
    )
}

fn plan(pipeline: &Pipeline) -> String {
    let environments: Vec<String> = pipeline
        .stages
        .iter()
        .map(|stage| pipeline.plan_environment(stage))
        .collect();
    format!(
        "A plan on each pull request, if you want it: `gh variable set TENANTGATE_PLAN --body true`, and the URL of a \
         role\nthat may only read as a secret of {}.",
        environments.join(", ")
    )
}

/// How to name another commit: in the lines that name one, so that nothing else of the files changes.
fn pin(pipeline: &Pipeline) -> Option<String> {
    let action = &pipeline.action;
    let (repository, path, slug) = (action.repository(), action.path(), &pipeline.slug);
    let how = format!(
        "git ls-remote https://github.com/{repository} 'refs/tags/v1*'   # of a line pair the one with ^{{}}\nsed -i.bak \
         's|uses: {path}@.*|uses: {path}@COMMIT # VERSION|' .github/workflows/{slug}.yml \
         .github/workflows/{slug}-to-*.yml\nrm .github/workflows/{slug}*.bak"
    );
    if action.is_placeholder() {
        return Some(format!(
            "PIN THE ACTION: the workflows name a commit that does not exist, and fail until they name a release's:\n{how}"
        ));
    }
    if !action.is_commit() {
        return Some(format!(
            "Pin the action to a commit. `{}` is a tag or a branch: it can be moved to other code, which then runs with \
             your\nsecrets, and zizmor will say so:\n{how}",
            action.reference()
        ));
    }
    None
}

fn fill_folders(found: &Found, above: Option<&str>) -> Option<String> {
    let layout = &found.layout;
    let above = above.map_or_else(String::new, |folder| format!("{folder}/"));
    let folders: Vec<String> = [&layout.shared, &layout.tenant]
        .into_iter()
        .flatten()
        .map(|folder| format!("{above}{folder}"))
        .collect();
    layout.to_make.then(|| {
        format!(
            "Put migrations into {}: <version>_<name>.sql.",
            folders.join(" and ")
        )
    })
}

fn secrets(stages: &[Deployed]) -> String {
    let mut step =
        "Make the GitHub environments (Settings > Environments), and give each its secrets. gh asks for the value:"
            .to_owned();
    for stage in stages {
        for name in &stage.secrets {
            step.push_str(&format!(
                "\ngh secret set {name} --env {}",
                shell(&stage.github_environment)
            ));
        }
    }
    step
}

fn required(pipeline: &Pipeline) -> String {
    let mut step = "Require the check on each branch (Settings > Rules > Require status checks). GitHub proposes a name once it\nhas passed:".to_owned();
    for stage in &pipeline.stages {
        step.push_str(&format!("\n{}: {}", stage.branch, pipeline.check_name(stage)));
    }
    step
}

/// Quoted for a shell, where that is needed.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
