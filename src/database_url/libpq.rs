//! The URL as psql and everything else on libpq takes it.

use super::parameter_names::known_to_libpq;
use super::{DatabaseUrl, EngineKind, TlsMode};
use crate::domain::Secret;

impl DatabaseUrl {
    /// The same URL with the scheme `postgresql:` and without the parameters that libpq refuses; none
    /// for other engines. It is made of what was written, not of what was understood, so that nothing is
    /// encoded anew.
    pub fn libpq_url(&self) -> Option<Secret> {
        if self.kind != EngineKind::Postgres {
            return None;
        }
        let (_, rest) = self.written.expose().split_once("://")?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut kept: Vec<String> = query.split('&').filter_map(|pair| self.parameter(pair)).collect();
        if self.tls == TlsMode::VerifyFull && kept.iter().any(|pair| pair == "sslrootcert=system") {
            kept.retain(|pair| !pair.starts_with("sslmode="));
            kept.push("sslmode=verify-full".to_owned());
        }
        let mark = if kept.is_empty() { "" } else { "?" };
        Some(Secret::new(format!(
            "postgresql://{before}{mark}{}",
            kept.join("&")
        )))
    }

    fn parameter(&self, pair: &str) -> Option<String> {
        let (name, value) = pair.split_once('=')?;
        match name {
            "ssl" => Some(format!("sslmode={}", self.tls.as_str())),
            "ApplicationName" => Some(format!("application_name={value}")),
            _ if known_to_libpq(name) => Some(pair.to_owned()),
            _ => None,
        }
    }
}
