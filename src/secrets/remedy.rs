//! How a person sets a secret.

use crate::settings::Settings;

/// For a secret that is to get a (new) value.
pub(super) fn set(settings: &Settings, name: &str) -> String {
    match &settings.environment.github_environment {
        Some(environment) => format!(
            "set it in GitHub under Settings > Environments > {environment}, or: gh secret set {name} --env {}",
            shell_word(environment)
        ),
        None => format!("set {name} where this environment's secrets are kept"),
    }
}

/// For a secret that did not come through: set, perhaps, but not handed to this job.
pub(super) fn set_and_pass(settings: &Settings, name: &str) -> String {
    let mut hint = set(settings, name);
    hint.push_str(&format!(
        "; a workflow sees it only in a job with the right `environment:`, and must pass it by `env:` as \
         {name}: ${{{{ secrets.{name} }}}}"
    ));
    if let Some(file) = settings.variables.absent_file() {
        hint.push_str(&format!("; the env file {} does not exist", file.display()));
    }
    hint
}

/// Names of GitHub environments may hold spaces and quotes.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shell_word("dev-backend"), "dev-backend");
        assert_eq!(shell_word("Bob's prod"), r"'Bob'\''s prod'");
    }
}
