//! Which values must never be printed.

use crate::domain::Redactor;
use crate::settings::{Settings, TOKEN_VARIABLES};

/// A redactor of every value that any environment's secrets have here, the URLs among them, and of the
/// key that signs evidence.
///
/// Spared are the values of `one_of`: they stand in the config file, and are often words such as
/// `true` that would star out half of a report. Parts of a URL (its password, decoded) are not
/// known here; whoever parses the URL adds them.
pub fn redactor(settings: &Settings) -> Redactor {
    let redactor = Redactor::default();
    for token in TOKEN_VARIABLES
        .iter()
        .filter_map(|name| settings.variables.get(name))
    {
        redactor.add(token.expose());
    }
    for environment in &settings.environments {
        for name in settings.secret_names(environment) {
            let rule = settings
                .secrets
                .iter()
                .find(|rule| rule.name_in(&environment.name) == name);
            for value in settings.variables.everywhere(&name) {
                let public =
                    rule.is_some_and(|rule| rule.one_of.iter().any(|allowed| allowed == value.expose()));
                if !public {
                    redactor.add(value.expose());
                }
            }
        }
    }
    let signing = settings.signing_key.iter().flat_map(|key| key.secret_forms());
    signing.for_each(|form| redactor.add(&form));
    redactor
}
