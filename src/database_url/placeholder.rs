//! Values that stand for a value: empty ones, unexpanded variables, texts from a manual.

use super::checks::{PLACEHOLDER, Problems};

/// Words that are no password and no URL, without `-`, `_` and space.
const FILLERS: &[&str] = &[
    "changeme",
    "changeit",
    "changethis",
    "replaceme",
    "replacethis",
    "todo",
    "tbd",
    "fixme",
    "placeholder",
    "redacted",
    "yourpassword",
    "yourpasswordhere",
    "passwordhere",
    "yourdbpassword",
];
/// Words that are no URL.
const NO_URLS: &[&str] = &[
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "empty",
    "secret",
    "dummy",
    "example",
    "databaseurl",
    "yourdatabaseurl",
    "yourdatabaseurlhere",
    "url",
    "false",
    "true",
    "n/a",
    "...",
    "…",
];

/// Reports a value that is a placeholder as a whole; true where it is one.
pub(super) fn whole(text: &str, problems: &mut Problems) -> bool {
    let plain = text.trim();
    if plain.is_empty() {
        problems.add(
            &PLACEHOLDER,
            if text.is_empty() {
                "the value is empty"
            } else {
                "the value is only white space"
            },
            "set the secret; a pull request from a fork, and a job without `environment:`, get an empty one",
        );
    } else if is_stars(plain) {
        problems.add(
            &PLACEHOLDER,
            "the value is only stars: a masked value, copied from a log or a page",
            "copy the URL itself from where it was made",
        );
    } else if is_variable(plain) && !plain.contains("{{") {
        variable(problems);
    } else if is_filler(plain) || NO_URLS.contains(&squeezed(plain).as_str()) {
        problems.add(
            &PLACEHOLDER,
            "the value is a placeholder, not a URL",
            "replace it by the database's URL",
        );
    } else {
        return inside(plain, problems);
    }
    true
}

/// Reports placeholders anywhere in a URL; true where there is one.
fn inside(text: &str, problems: &mut Problems) -> bool {
    let upper = text.to_ascii_uppercase();
    let in_brackets = [
        "[YOUR",
        "[PASSWORD",
        "[DB-PASSWORD",
        "[DB_PASSWORD",
        "[HOST]",
        "[USER]",
    ];
    if text.contains("{{") {
        problems.add(
            &PLACEHOLDER,
            "a template `{{ … }}` stands in the value, not filled in",
            "store the secret's value, not the expression that reads it",
        );
    } else if text.contains("${") {
        variable(problems);
    } else if in_brackets.iter().any(|known| upper.contains(known)) {
        problems.add(
            &PLACEHOLDER,
            "the value still contains a `[YOUR-PASSWORD]` from the provider's page",
            "put the database's password, percent-encoded, in its place, brackets included",
        );
    } else if has_angles(text) {
        problems.add(
            &PLACEHOLDER,
            "the value still contains a `<…>` from a manual",
            "put the real value in its place; a `<` that stands for itself is written `%3C`",
        );
    } else {
        return false;
    }
    true
}

/// Reports a password that is none.
pub(super) fn password(encoded: &str, problems: &mut Problems) {
    if is_stars(encoded) {
        problems.add(
            &PLACEHOLDER,
            "the password is only stars: the URL was copied from where it was masked",
            "put the real password in their place; a `*` that stands for itself is written `%2A`",
        );
    } else if is_variable(encoded) {
        variable(problems);
    } else if is_filler(encoded) || encoded.len() > 2 && encoded.chars().all(|c| matches!(c, 'x' | 'X')) {
        problems.add(
            &PLACEHOLDER,
            "the password is a placeholder",
            "put the database's password in its place",
        );
    }
}

/// Reports `user:password@host:port/dbname`, as in manuals. `authority` is as written.
pub(super) fn template(authority: &str, problems: &mut Problems) -> bool {
    let lower = authority.to_ascii_lowercase();
    let (userinfo, server) = lower.split_once('@').unwrap_or(("", &lower));
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let (host, port) = server.split_once(':').unwrap_or((server, ""));
    let from_manual = port == "port"
        || matches!(host, "host" | "hostname" | "your-host" | "your_host")
            && matches!(user, "user" | "username" | "your-user" | "your_user")
            && matches!(password, "" | "password" | "pass" | "passwd" | "pwd");
    if from_manual {
        problems.add(
            &PLACEHOLDER,
            "the value is the `user:password@host:port/dbname` of a manual",
            "replace it by the database's URL",
        );
    }
    from_manual
}

fn variable(problems: &mut Problems) {
    problems.add(
        &PLACEHOLDER,
        "a variable stands in the value that nobody expanded, as in `$NAME` or `${NAME}`",
        "store the value itself: secrets are not expanded; a `$` that stands for itself is written `%24`",
    );
}

fn is_stars(text: &str) -> bool {
    text.chars().count() >= 3 && text.chars().all(|c| matches!(c, '*' | '•' | '●' | '·'))
}

/// `$NAME`, `${…}`, `$(…)`, `%NAME%`.
fn is_variable(text: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let windows = text.strip_prefix('%').and_then(|text| text.strip_suffix('%'));
    let loose = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match text.strip_prefix('$') {
        Some(rest) => rest.starts_with(['{', '(']) || name(rest) || loose(rest) && rest.contains('_'),
        None => windows.is_some_and(name),
    }
}

fn is_filler(text: &str) -> bool {
    FILLERS.contains(&squeezed(text).as_str())
}

fn squeezed(text: &str) -> String {
    let lower = text.to_lowercase();
    let core = lower.trim_matches(['<', '>', '[', ']', '{', '}', '(', ')', '!']);
    core.replace(['-', '_', ' '], "")
}

/// `<password>`: letters, and what holds them together, between angles.
fn has_angles(text: &str) -> bool {
    text.split('<').skip(1).any(|piece| {
        piece.split_once('>').is_some_and(|(name, _)| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.'))
        })
    })
}
