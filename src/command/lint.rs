//! `lint --rules`: what is looked for, and how much it counts here.

use crate::cli::{EngineArg, Global};
use crate::database_url;
use crate::exit::Exit;
use crate::lint::{Level, rules};
use crate::run::engine_by_names;
use crate::settings::ProcessEnvironment;

use super::{load_settings, print};

pub(super) fn list(
    global: &Global,
    process: &ProcessEnvironment,
    engine: Option<EngineArg>,
) -> anyhow::Result<Exit> {
    let settings = load_settings(global, process)?;
    let url = settings
        .variables
        .get(settings.environment.database_url.as_str())
        .and_then(|value| database_url::parse(value.expose()).ok());
    let kind = engine
        .map(Into::into)
        .or(url.map(|url| url.kind))
        .unwrap_or_else(|| engine_by_names(&settings.tenancy));
    let mut page = String::new();
    for level in [Level::Error, Level::Warning, Level::Note, Level::Off] {
        let here = rules().iter().filter(|rule| rule.levels.of(kind).is_some());
        // No file is called so, hence no path is ignored.
        for rule in here.filter(|rule| settings.lint.level(rule, kind, "") == level) {
            page.push_str(&format!("{level:<8} {:<44} {}\n", rule.id, rule.title));
        }
    }
    print(&page)?;
    Ok(Exit::Passed)
}
