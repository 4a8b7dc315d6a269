//! `secrets.placeholder`

use std::sync::LazyLock;

use regex::RegexSet;

use crate::domain::{CheckDefinition, Finding};
use crate::settings::Settings;

use super::remedy;
use super::subject::{State, Subject};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.placeholder",
    title: "secrets are values, not placeholders",
};

/// What stands in a template until somebody replaces it. Whole words only where a real secret could
/// contain the word.
static PLACEHOLDERS: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        // Masked: copied out of a log or an interface.
        r"^[*•]+$",
        // Never expanded.
        r"^\$[A-Z_][A-Z0-9_]*$",
        r"^\$\{[^{}]*\}$",
        r"^\$\(.*\)$",
        r"\$\{\{",
        r"^\{\{.*\}\}$",
        // To be filled in.
        r"(?i)^\[your[^\]]*\]$",
        r"^<[^<>]*>$",
        r"(?i)change[-_ ]?(me|this)|replace[-_ ]?(me|this|with)",
        r"(?i)^your[-_ ]",
        r"(?i)^(paste|put|insert|enter|add)[-_ ].*[-_ ]here$",
        r"(?i)^(todo|tbd|fixme|x{3,}|\.{3,}|placeholder|secret|password|passwd|example|undefined|null)$",
        // Django's own, written by startproject.
        r"(?i)^django-insecure-",
    ])
    .expect("the patterns are constant and a test compiles them")
});

pub(super) fn is_placeholder(value: &str) -> bool {
    PLACEHOLDERS.is_match(unquoted(value))
}

fn unquoted(value: &str) -> &str {
    let pair = |quote| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    pair('"').or_else(|| pair('\'')).unwrap_or(value)
}

pub(super) fn find(settings: &Settings, subject: &Subject<'_>) -> Option<Finding> {
    matches!(subject.state, State::Placeholder).then(|| {
        Finding::error(format!("{} is a placeholder, not a value", subject.name))
            .hint(remedy::set(settings, &subject.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known() {
        for text in [
            "***",
            "••••",
            "$SECRET_KEY",
            "${SECRET_KEY}",
            "${x}",
            "$(cat key)",
            "${{ secrets.X }}",
            "a-${{ secrets.X }}",
            "{{ .Values.key }}",
            "[YOUR-PASSWORD]",
            "[your key]",
            "<secret>",
            "<your key here>",
            "changeme",
            "ChangeMe",
            "change-me",
            "CHANGE_ME_PLEASE",
            "please-change-this",
            "replace-me",
            "replace-with-real-key",
            "todo",
            "TODO",
            "xxx",
            "XXXXXXXX",
            "...",
            "placeholder",
            "your-secret-here",
            "your_api_key",
            "paste-key-here",
            "secret",
            "Password",
            "example",
            "undefined",
            "null",
            "django-insecure-k2#x9!q",
            "\"changeme\"",
            "'***'",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn values_are_not_placeholders() {
        for text in [
            "k2#x9!qv0$Lm",
            "$ecretTail99",
            "pa$$word",
            "$2b$12$abcdefghijklmnopqrstuv",
            "projectmeats.settings.production",
            "my-secret-key-of-old",
            "<",
            "xx",
            "a*b",
            "thereafter",
            "{\"type\":\"service_account\"}",
            "none",
            "[1, 2]",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
