//! Targets of several servers, taken apart and put together again.

use std::collections::BTreeMap;

use crate::domain::ServerName;
use crate::engine::Target;

/// The targets of one server, and where they stood among all.
pub(in crate::engine) struct Part<'t> {
    pub(in crate::engine) server: Option<&'t ServerName>,
    pub(in crate::engine) targets: Vec<Target<'t>>,
    places: Vec<usize>,
}

/// One part for each server, each in the order of the targets.
pub(in crate::engine) fn split<'t>(targets: &'t [Target<'t>]) -> Vec<Part<'t>> {
    let mut parts: BTreeMap<Option<&ServerName>, Part<'t>> = BTreeMap::new();
    for (place, target) in targets.iter().enumerate() {
        let server = target.server();
        let part = parts.entry(server).or_insert_with(|| Part {
            server,
            targets: Vec::new(),
            places: Vec::new(),
        });
        part.targets.push(*target);
        part.places.push(place);
    }
    parts.into_values().collect()
}

/// What the parts gave, in the order of the targets that were split.
pub(in crate::engine) fn in_order<T>(parts: &[Part<'_>], given: Vec<Vec<T>>) -> Vec<T> {
    let with_places = |(part, given): (&Part<'_>, Vec<T>)| part.places.clone().into_iter().zip(given);
    let mut all: Vec<(usize, T)> = parts.iter().zip(given).flat_map(with_places).collect();
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Tenant, TenantName};

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let tenant = |name: &str, server: Option<&str>| Tenant {
            name: TenantName::parse(name).expect("a name"),
            server: server.map(|it| ServerName::parse(it).expect("a name")),
            location: name.to_owned(),
            active: true,
        };
        let tenants = [
            tenant("a", Some("us")),
            tenant("b", None),
            tenant("c", Some("eu")),
            tenant("d", Some("us")),
        ];
        let targets: Vec<Target<'_>> = tenants.iter().map(Target::Tenant).collect();
        let parts = split(&targets);
        assert_eq!(parts.len(), 3);
        let names = |part: &Part<'_>| {
            part.targets
                .iter()
                .map(|it| it.ledger_name().to_owned())
                .collect()
        };
        let given: Vec<Vec<String>> = parts.iter().map(names).collect();
        assert_eq!(given[2], ["a", "d"]);
        assert_eq!(in_order(&parts, given), ["a", "b", "c", "d"]);
    }
}
