//! Values as YAML and GitHub take them.

use std::fmt;

/// A text that GitHub would take for an expression, or that is not one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {why}")]
pub(crate) struct Odd {
    what: &'static str,
    why: &'static str,
}

/// Refuses what no quoting can carry into a workflow unchanged.
pub(crate) fn refuse_odd(what: &'static str, text: &str) -> Result<(), Odd> {
    if text.contains("${{") {
        let why = "`${{` in it, which GitHub would take for an expression";
        return Err(Odd { what, why });
    }
    if text.chars().any(char::is_control) {
        return Err(Odd {
            what,
            why: "a line end or another control character in it",
        });
    }
    Ok(())
}

/// A scalar: plain where that is safe, else in single quotes.
pub(super) struct Scalar<'a>(pub(super) &'a str);

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        // YAML 1.1 reads more words than these as something else, but none that begins with two letters
        // and has three or more, besides the ones below.
        let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
        let word = words.contains(&text.to_ascii_lowercase().as_str());
        let head = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if head && !word && text.chars().all(plain) {
            f.write_str(text)
        } else {
            write!(f, "'{}'", text.replace('\'', "''"))
        }
    }
}

/// `[develop, uat, main]`
pub(super) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| Scalar(item).to_string()).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_quoted() {
        for (text, yaml) in [
            ("prod2-backend", "prod2-backend"),
            ("my app/tenantgate.toml", "'my app/tenantgate.toml'"),
            ("it's: # odd", "'it''s: # odd'"),
            ("on", "'on'"),
            ("1.10", "'1.10'"),
            ("{a}", "'{a}'"),
            ("", "''"),
        ] {
            assert_eq!(Scalar(text).to_string(), yaml);
        }
    }

    #[test]
    fn what_cannot_be_quoted_is_refused() {
        assert!(refuse_odd("it", "a${{ github.token }}").is_err());
        assert!(refuse_odd("it", "a\nb").is_err());
        assert!(refuse_odd("it", "${x} 'y' ü").is_ok());
    }
}
