//! Will what this run writes be evidence to the next environment? Better known before than there.

use crate::domain::{Check, EnvironmentName, Finding, PublicKey, SigningKey};

use super::SIGNED;

/// None where nothing demands a signature of this run.
pub fn will_be_signed(
    next: Option<&EnvironmentName>,
    keys: &[PublicKey],
    signing: Option<&SigningKey>,
) -> Option<Check> {
    let next = next.filter(|_| !keys.is_empty())?;
    let finding = match signing {
        Some(key) if keys.contains(&key.public) => None,
        Some(key) => Some(
            Finding::warning(format!(
                "evidence will be signed by {}, a key that the config does not know: {next} will stay shut",
                key.public.id
            ))
            .hint("add its public key to `public_keys` of this environment or of [promotion], or set the signing key that fits one of them"),
        ),
        None => Some(
            Finding::warning(format!(
                "evidence will not be signed, and the config demands it: {next} will stay shut"
            ))
            .hint("pass the secret TENANTGATE_SIGNING_KEY to this step, and run again"),
        ),
    };
    Some(Check::answered(&SIGNED, finding.into_iter().collect()))
}
