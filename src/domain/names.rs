//! Strings with rules.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a string is not a name. It carries no part of the string: the caller knows whether it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub &'static str);

/// The name of an environment: `dev`, `uat`, `prod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(String);

impl EnvironmentName {
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let fits = !text.is_empty() && text.len() <= 63;
        let plain = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if fits && plain && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName(
                "an environment's name is 1 to 63 letters, digits, `-` or `_`",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What `{ENV}` stands for in the names of secrets: `uat-2` is `UAT_2`.
    pub fn variable_prefix(&self) -> String {
        self.0.to_ascii_uppercase().replace('-', "_")
    }
}

/// The name of an environment variable that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

impl SecretName {
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let head = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if head && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName(
                "a secret's name is letters, digits and `_`, and does not begin with a digit",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a tenant, as its registry gives it. It is data: it reaches SQL only through an
/// engine's quoting, and a file system only after these rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TenantName(String);

impl TenantName {
    /// PostgreSQL's NAMEDATALEN - 1 and MySQL's 64 agree on this much, in bytes.
    pub const LONGEST: usize = 63;

    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.is_empty() {
            return Err(InvalidName("the name is empty"));
        }
        if text.len() > Self::LONGEST {
            return Err(InvalidName(
                "the name is longer than 63 bytes, which no engine keeps whole",
            ));
        }
        if text.starts_with(['.', '-']) {
            return Err(InvalidName("the name begins with `.` or `-`"));
        }
        let plain = |c: char| c.is_alphanumeric() && (c as u32) <= 0xFFFF;
        if text.chars().all(|c| plain(c) || matches!(c, '_' | '-' | '.')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName(
                "the name has a character other than letters, digits, `_`, `-` and `.`",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! string_type {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    )*};
}
string_type!(EnvironmentName, SecretName, TenantName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_names_that_would_hurt_are_refused() {
        for bad in [
            "",
            "\"; drop schema public; --",
            "a/b",
            "..",
            "-rf",
            "a b",
            "a\0b",
            "rocket🚀",
            &"x".repeat(64),
        ] {
            assert!(TenantName::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["acme", "super_tenant", "münchen", "a-b.c", "42"] {
            assert!(TenantName::parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn the_variable_prefix_is_upper_case() {
        let name = EnvironmentName::parse("uat-2").expect("a good name");
        assert_eq!(name.variable_prefix(), "UAT_2");
    }
}
