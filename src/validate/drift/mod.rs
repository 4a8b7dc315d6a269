//! Structures against what is expected of them. Pure.

mod groups;
mod words;

use std::collections::BTreeSet;

use globset::GlobSet;

use crate::baseline;
use crate::domain::{
    COLUMN_ORDER, COMMENT, DEFINER, Difference, Fact, GRANTS, OWNER, Object, ObjectKind, Structure, is_code,
};
use crate::settings::Validation;

pub use groups::{Group, Groups, by_print};
pub use words::{
    Told, closed_finding, environment, nothing_recorded, shared_findings, tenant_findings, unread_findings,
    unseen_finding,
};

/// What is compared of structures.
#[derive(Debug, Clone, Copy)]
pub struct Aspects<'a> {
    pub ignore: &'a GlobSet,
    pub owners: bool,
    pub grants: bool,
    pub comments: bool,
    pub column_order: bool,
}

impl<'a> From<&'a Validation> for Aspects<'a> {
    fn from(validation: &'a Validation) -> Self {
        Self {
            ignore: &validation.ignore,
            owners: validation.owners,
            grants: validation.grants,
            comments: validation.comments,
            column_order: validation.column_order,
        }
    }
}

impl Aspects<'_> {
    /// The structure without what is not compared.
    #[must_use]
    pub fn of(&self, mut structure: Structure) -> Structure {
        structure.facts.retain(|fact| self.has(fact));
        structure
    }

    fn has(&self, fact: &Fact) -> bool {
        let wanted = match fact.attribute.as_str() {
            OWNER | DEFINER => self.owners,
            GRANTS => self.grants,
            COMMENT => self.comments,
            COLUMN_ORDER => self.column_order,
            _ => true,
        };
        wanted && !self.ignores(&fact.object)
    }

    fn ignores(&self, object: &Object) -> bool {
        if self.ignore.is_empty() {
            return false;
        }
        match object.table.as_str() {
            "" => self.ignore.is_match(&object.name) || self.ignore.is_match(bare(&object.name)),
            table => self.ignore.is_match(table) || self.ignore.is_match(format!("{table}.{}", object.name)),
        }
    }
}

/// `sweep` of `procedure sweep` and of `sweep(integer)`.
fn bare(name: &str) -> &str {
    let before = name.split('(').next().unwrap_or(name);
    before.rsplit(' ').next().unwrap_or(before)
}

/// What one place must be: what migrations or a snapshot say, and, where they say nothing of owners and grants,
/// what `most` have. Of what neither speaks, the place is right as it is.
pub fn expectation(base: &Structure, most: &Structure, found: &Structure) -> Structure {
    let objects: BTreeSet<&Object> = base.facts.iter().map(|it| &it.object).collect();
    let spoken_of: BTreeSet<(&Object, &str)> = base
        .facts
        .iter()
        .filter(|it| it.attribute == GRANTS)
        .map(|it| (&it.object, it.attribute.as_str()))
        .collect();
    let is_told =
        |it: &&Fact| !it.is_administrative() || spoken_of.contains(&(&it.object, it.attribute.as_str()));
    let left_open = |it: &&Fact| {
        let concerns = it.object.kind == ObjectKind::Schema || objects.contains(&it.object);
        it.is_administrative() && concerns && !spoken_of.contains(&(&it.object, it.attribute.as_str()))
    };
    let of_most: BTreeSet<&Object> = most.facts.iter().map(|it| &it.object).collect();
    // What most have not, and no migration makes, is one thing too many: default privileges are, too.
    let alone = |it: &&Fact| !of_most.contains(&it.object) && objects.contains(&it.object);
    let by_themselves = found.facts.iter().filter(alone);
    let facts = base.facts.iter().filter(is_told);
    let facts = facts.chain(most.facts.iter().filter(left_open));
    Structure {
        facts: facts.chain(by_themselves.filter(left_open)).cloned().collect(),
    }
}

/// What is not as expected in one group of tenants.
#[derive(Debug)]
pub struct Deviation<'g, 't> {
    pub group: &'g Group<'t>,
    pub expected: Structure,
    pub differences: Vec<Difference>,
}

/// Groups that differ from `base`, and in owners and grants from what most are.
pub fn deviations<'g, 't>(base: &Structure, groups: &'g Groups<'t>) -> Vec<Deviation<'g, 't>> {
    let Some(most) = groups.reference(base) else {
        return Vec::new();
    };
    let deviation = |group: &'g Group<'t>| {
        let found = group.structure.as_ref()?;
        let expected = expectation(base, most, found);
        let differences = baseline::differences(&expected, found);
        (!differences.is_empty()).then_some(Deviation {
            group,
            expected,
            differences,
        })
    };
    groups.all.iter().filter_map(deviation).collect()
}

/// What may be written down of a structure that was taken from a live tenant: its code may be anything, and its
/// SQL would show it. The differences that SQL can still be made for stay.
pub fn without_code(expected: &Structure, differences: &[Difference]) -> (Structure, Vec<Difference>) {
    let coded = |object: &Object| {
        matches!(
            object.kind,
            ObjectKind::Routine | ObjectKind::Trigger | ObjectKind::Event
        )
    };
    let facts = expected.facts.iter();
    let facts = facts.filter(|it| !coded(&it.object) && !is_code(it.object.kind, &it.attribute));
    let expected = Structure {
        facts: facts.cloned().collect(),
    };
    let removes = |it: &&Difference| !coded(&it.object) || it.change == crate::domain::Change::Extra;
    (expected, differences.iter().filter(removes).cloned().collect())
}

/// What the shared schema has otherwise than its migrations make it, and what is in none of them. Owners and
/// grants are its provider's.
pub fn shared_differences(base: &Structure, found: &Structure) -> (Vec<Difference>, Vec<Difference>) {
    let expected = expectation(base, found, found);
    let differences = baseline::differences(&expected, found);
    let is_extra = |it: &Difference| it.change == crate::domain::Change::Extra && it.object.table.is_empty();
    let (extra, wrong) = differences.into_iter().partition(is_extra);
    (wrong, extra)
}
