//! Who goes when: ensured tenants, canaries, the config's groups, the rest. Pure.

use std::collections::BTreeMap;

use crate::domain::TenantName;
use crate::migrations::TenantPlan;
use crate::settings::{Concurrency, Order, Rollout, Suspended, Wave, WaveTenants};

/// Tenants that go together; the next ones go when these are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What people call it.
    pub name: String,
    /// Indexes into the plan, in the order in which they go.
    pub tenants: Vec<usize>,
    pub(super) concurrency: Concurrency,
    /// Whether a single failure ends the rollout. Those that are not begin when the canaries came out right.
    pub(super) strict: bool,
}

/// Who is looked at before the others begin, as indexes into the plan. Also who is ensured, and who is at
/// head already: a run that was to look at them may have ended before it did, or have found them wrong.
pub(super) fn canaries(plan: &[TenantPlan], rollout: &Rollout) -> Vec<usize> {
    let is_canary = |index: &usize| rollout.canary.contains(&plan[*index].tenant.name);
    (0..plan.len()).filter(is_canary).collect()
}

/// What one group's query gave, in its order; by the group's index.
pub type Listed = BTreeMap<usize, Vec<TenantName>>;

/// The turns of those that are behind. Groups without any are left out.
pub fn turns(plan: &[TenantPlan], ensure: &[TenantName], rollout: &Rollout, listed: &Listed) -> Vec<Turn> {
    let turn = |name: &str, strict| Turn {
        name: name.to_owned(),
        tenants: Vec::new(),
        concurrency: rollout.concurrency,
        strict,
    };
    let mut turns = vec![turn("ensured", true), turn("canary", true)];
    turns.extend(rollout.waves.iter().map(|wave| Turn {
        concurrency: wave.concurrency.unwrap_or(rollout.concurrency),
        ..turn(&wave.name, false)
    }));
    turns.push(turn("the rest", false));
    turns.push(turn("suspended", false));
    let (rest, suspended) = (turns.len() - 2, turns.len() - 1);
    let groups: Vec<Group<'_>> = (0..)
        .zip(&rollout.waves)
        .map(|(group, wave)| Group::new(wave, listed.get(&group)))
        .collect();
    for (index, TenantPlan { tenant, pending }) in plan.iter().enumerate() {
        if pending.migrations.is_empty() {
            continue;
        }
        let turn = if ensure.contains(&tenant.name) {
            0
        } else if rollout.canary.contains(&tenant.name) {
            1
        } else if !tenant.active && rollout.suspended == Suspended::Last {
            suspended
        } else {
            let group = groups.iter().position(|it| it.place(&tenant.name).is_some());
            group.map_or(rest, |group| group + 2)
        };
        turns[turn].tenants.push(index);
    }
    for (group, turn) in groups.iter().zip(&mut turns[2..]) {
        let name = |index: usize| &plan[index].tenant.name;
        match group.wave.order {
            Order::Registry => {}
            Order::Name => turn.tenants.sort_by(|one, other| name(*one).cmp(name(*other))),
            Order::Listed => turn.tenants.sort_by_key(|index| group.place(name(*index))),
        }
    }
    turns.retain(|turn| !turn.tenants.is_empty());
    turns
}

/// One of the config's groups, and what its query gave.
struct Group<'a> {
    wave: &'a Wave,
    listed: BTreeMap<&'a TenantName, usize>,
}

impl<'a> Group<'a> {
    fn new(wave: &'a Wave, listed: Option<&'a Vec<TenantName>>) -> Self {
        let names = listed.map(Vec::as_slice).unwrap_or_default().iter().enumerate();
        Self {
            wave,
            // Who is listed twice goes where it stands first.
            listed: names.rev().map(|(place, name)| (name, place)).collect(),
        }
    }

    /// Where the group itself has a tenant, if it does.
    fn place(&self, name: &TenantName) -> Option<usize> {
        match &self.wave.tenants {
            WaveTenants::Matching(globs) => globs.iter().position(|glob| glob.is_match(name.as_str())),
            WaveTenants::Query(_) => self.listed.get(name).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Tenant, Version};
    use crate::migrations::Pending;
    use crate::settings::{MaxFailures, OnFailure};

    fn rollout(waves: Vec<Wave>) -> Rollout {
        let second = std::time::Duration::from_secs(1);
        Rollout {
            canary: vec![],
            waves,
            suspended: Suspended::Migrate,
            concurrency: Concurrency::Auto,
            server_concurrency: BTreeMap::new(),
            max_failures: MaxFailures::Count(0),
            on_failure: OnFailure::Stop,
            lock_timeout: second,
            lock_retries: 0,
            connection_retries: 0,
            batch_pause: second,
            max_active_sessions: None,
            max_replica_lag: None,
            statement_timeout: None,
            deadline: None,
            warn_after: None,
            fail_after: None,
            lease_ttl: second,
            lease_wait: second,
        }
    }

    fn name(text: &str) -> TenantName {
        TenantName::parse(text).expect("a name")
    }

    /// Tenants that are behind; one with `-` in front is suspended, one with `=` at head.
    fn plan(names: &str) -> Vec<TenantPlan> {
        let plan = |text: &str| {
            let bare = text.trim_start_matches(['-', '=']);
            TenantPlan {
                tenant: Tenant {
                    name: name(bare),
                    server: None,
                    location: bare.to_owned(),
                    active: !text.starts_with('-'),
                },
                pending: Arc::new(Pending {
                    migrations: if text.starts_with('=') { vec![] } else { vec![0] },
                    head: Some(Version(1)),
                    ..Pending::default()
                }),
            }
        };
        names.split(' ').map(plan).collect()
    }

    fn matching(name: &str, globs: &[&str], order: Order) -> Wave {
        let glob = |text: &&str| globset::Glob::new(text).expect("a glob").compile_matcher();
        Wave {
            name: name.to_owned(),
            tenants: WaveTenants::Matching(globs.iter().map(glob).collect()),
            concurrency: Some(Concurrency::Fixed(2)),
            order,
        }
    }

    fn shown(plan: &[TenantPlan], turns: &[Turn]) -> String {
        let names = |turn: &Turn| {
            let names: Vec<&str> = turn
                .tenants
                .iter()
                .map(|it| plan[*it].tenant.name.as_str())
                .collect();
            format!("{}: {}", turn.name, names.join(" "))
        };
        turns.iter().map(names).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn everybody_who_is_behind_has_one_turn() {
        let plan = plan("eu_1 =us_1 base us_2 canary -old eu_0");
        let mut rollout = rollout(vec![
            matching("europe", &["eu_*"], Order::Name),
            matching("all of us", &["us_*", "eu_*"], Order::Registry),
        ]);
        rollout.canary = vec![name("canary"), name("us_1")];
        rollout.suspended = Suspended::Last;
        let turns = turns(&plan, &[name("base")], &rollout, &Listed::new());
        assert_eq!(
            shown(&plan, &turns),
            "ensured: base; canary: canary; europe: eu_0 eu_1; all of us: us_2; suspended: old"
        );
        assert!(turns[0].strict && turns[1].strict && !turns[2].strict);
        assert_eq!(canaries(&plan, &rollout), [1, 4], "also who is at head");
        assert_eq!(turns[2].concurrency, Concurrency::Fixed(2));
    }

    #[test]
    fn a_query_says_who_and_in_which_order() {
        let plan = plan("a b c d");
        let wave = Wave {
            name: "small".to_owned(),
            tenants: WaveTenants::Query("…".to_owned()),
            concurrency: None,
            order: Order::Listed,
        };
        let listed = Listed::from([(0, vec![name("d"), name("gone"), name("b"), name("d")])]);
        let turns = turns(&plan, &[], &rollout(vec![wave]), &listed);
        assert_eq!(shown(&plan, &turns), "small: d b; the rest: a c");
    }

    #[test]
    fn globs_say_in_which_order() {
        let plan = plan("a_1 b_1 a_2 b_2");
        let rollout = rollout(vec![matching("both", &["b_2", "a_*", "b_*"], Order::Listed)]);
        let turns = turns(&plan, &[], &rollout, &Listed::new());
        assert_eq!(shown(&plan, &turns), "both: b_2 a_1 a_2 b_1");
    }
}
