//! Break glass: who may set the promotion rules aside, and what becomes of them. Pure.

use crate::domain::{Check, Finding, SET_ASIDE, Severity};
use crate::settings::{Actions, Overriding, Team};

use super::{EVIDENCE, MAX_AGE, SOAK};

/// Where and by whom it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub in_actions: bool,
    pub actions: Option<&'a Actions>,
}

/// Who may, as far as the config and the runner tell.
#[derive(Debug, PartialEq, Eq)]
pub enum Permission<'a> {
    /// To the people named, the first of whom asks for it.
    Given(Vec<&'a str>),
    Refused(Box<Finding>),
    /// These are not listed: each of them must be in one of the teams.
    AskTeams {
        people: Vec<&'a str>,
        unlisted: Vec<&'a str>,
        teams: &'a [Team],
    },
}

/// A workflow that is begun by hand names a person, and leaves a trace. A run begun again is asked for
/// by two: whoever began it, whose name GitHub keeps, and whoever did so now.
pub fn permission<'a>(rules: &'a Overriding, call: Call<'a>) -> Permission<'a> {
    let refused =
        |message: String, hint: &str| Permission::Refused(Box::new(Finding::error(message).hint(hint)));
    if rules.actors.is_empty() && rules.teams.is_empty() {
        return refused(
            "nobody may set the promotion rules aside here".to_owned(),
            "name who may: `actors` or `teams` in [promotion.override]",
        );
    }
    let by_hand =
        "start the workflow by hand (`workflow_dispatch`) in GitHub Actions: there GitHub says who asks";
    let Some(actions) = call.actions.filter(|_| call.in_actions) else {
        return refused(
            "an override is not taken from outside GitHub Actions".to_owned(),
            by_hand,
        );
    };
    if actions.event_name != "workflow_dispatch" {
        return refused(
            format!("an override is not taken on `{}`", actions.event_name),
            by_hand,
        );
    }
    let Some(actor) = actions.actor.as_deref() else {
        return refused("GitHub does not say who began this run".to_owned(), by_hand);
    };
    let mut people = vec![actor];
    let again = actions.triggering_actor.as_deref();
    people.extend(again.filter(|it| !it.eq_ignore_ascii_case(actor)));
    let listed = |it: &&&str| rules.actors.iter().any(|known| known.eq_ignore_ascii_case(it));
    let unlisted: Vec<&str> = people.iter().filter(|it| !listed(it)).copied().collect();
    if unlisted.is_empty() {
        return Permission::Given(people);
    }
    if rules.teams.is_empty() {
        return Permission::Refused(Box::new(not_allowed(unlisted[0], people.len() > 1)));
    }
    Permission::AskTeams {
        people,
        unlisted,
        teams: &rules.teams,
    }
}

/// `two`: the run was begun by one, and begun again by another.
pub fn not_allowed(person: &str, two: bool) -> Finding {
    let finding = Finding::error(format!("{person} may not set the promotion rules aside"));
    if two {
        finding.hint(
            "of a run that was begun again, both who began it and who began it again must be allowed in \
             [promotion.override]; start a new one instead",
        )
    } else {
        finding.hint("ask somebody whom [promotion.override] allows")
    }
}

/// The rules of promotion as warnings, which still say what they found; false: there was nothing to set
/// aside. What was not asked because something before it failed is left out.
pub fn set_aside(checks: Vec<Check>) -> (Vec<Check>, bool) {
    let rules = [EVIDENCE, SOAK, MAX_AGE];
    let is_rule = |check: &Check| rules.iter().any(|it| it.id == check.id);
    let needed = checks.iter().any(|check| is_rule(check) && check.blocks());
    if !needed {
        return (checks, false);
    }
    let lowered = checks.into_iter().filter_map(|check| {
        if !is_rule(&check) {
            return Some(check);
        }
        if check.status == crate::domain::CheckStatus::Skipped {
            return None;
        }
        let definition = rules.iter().find(|it| it.id == check.id)?;
        let findings = check.findings.into_iter().map(|mut finding| {
            if finding.severity == Severity::Error {
                finding.severity = Severity::Warning;
                finding.operational = false;
                finding.message = format!("{SET_ASIDE}{}", finding.message);
            }
            finding
        });
        Some(Check::answered(definition, findings.collect()))
    });
    (lowered.collect(), true)
}
