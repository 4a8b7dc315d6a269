//! Tenants that are made alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::baseline;
use crate::domain::{Fact, Fingerprint, Object, ObjectKind, Print, Structure, Tenant};

/// Of more different structures than this none is kept: that they differ is said, not how.
const KEPT: usize = 200;

/// Tenants with one structure.
#[derive(Debug)]
pub struct Group<'t> {
    pub tenants: Vec<&'t Tenant>,
    /// Absent where there were too many to keep them all.
    pub structure: Option<Structure>,
    pub fingerprint: Fingerprint,
}

/// All tenants of which the same is expected, those with most tenants first.
#[derive(Debug, Default)]
pub struct Groups<'t> {
    pub all: Vec<Group<'t>>,
    places: BTreeMap<Fingerprint, usize>,
}

/// Tenants by print, the most that are alike first, of equals in the order of their first tenants: one of each has
/// to be read, and not all are kept.
pub fn by_print<'t>(tenants: &[&'t Tenant], prints: Vec<Print>) -> Vec<Vec<&'t Tenant>> {
    let mut places: BTreeMap<Print, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&'t Tenant>> = Vec::new();
    for (tenant, print) in tenants.iter().zip(prints) {
        let at = *places.entry(print).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(tenant);
    }
    groups.sort_by_key(|tenants| std::cmp::Reverse(tenants.len()));
    groups
}

impl<'t> Groups<'t> {
    /// Adds tenants of one print, with what one of them is made of.
    pub fn add(&mut self, tenants: Vec<&'t Tenant>, structure: Structure) {
        let fingerprint = structure.fingerprint();
        if let Some(at) = self.places.get(&fingerprint) {
            self.all[*at].tenants.extend(tenants);
            return;
        }
        self.places.insert(fingerprint.clone(), self.all.len());
        let kept = self.all.len() < KEPT;
        self.all.push(Group {
            tenants,
            structure: kept.then_some(structure),
            fingerprint,
        });
    }

    /// The largest first; of equals the one whose first tenant comes first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.places.clear();
        self.all
            .sort_by_key(|group| std::cmp::Reverse(group.tenants.len()));
        self
    }

    pub fn tenants(&self) -> usize {
        self.all.iter().map(|it| it.tenants.len()).sum()
    }

    /// Whose owners and grants are right: those that most have, and among them one that is what `base` says where
    /// any is.
    pub fn reference(&self, base: &Structure) -> Option<&Structure> {
        let objects: BTreeSet<&Object> = base.facts.iter().map(|it| &it.object).collect();
        let rights = |found: &Structure| {
            let speaks = |it: &&Fact| it.object.kind == ObjectKind::Schema || objects.contains(&it.object);
            let facts = found.facts.iter().filter(|it| it.is_administrative());
            let facts = facts.filter(speaks).cloned().collect();
            Structure { facts }.fingerprint()
        };
        let base = base.portable();
        let mut kinds: BTreeMap<Fingerprint, (usize, Vec<&Structure>)> = BTreeMap::new();
        for group in &self.all {
            let Some(structure) = &group.structure else {
                continue;
            };
            let (tenants, structures) = kinds.entry(rights(structure)).or_default();
            *tenants += group.tenants.len();
            structures.push(structure);
        }
        let fits = |found: &&&Structure| baseline::differences(&base, &found.portable()).is_empty();
        let mut best: Option<(usize, bool, &Structure)> = None;
        for (tenants, structures) in kinds.into_values() {
            let fitting = structures.iter().find(fits).copied();
            let Some(structure) = fitting.or_else(|| structures.first().copied()) else {
                continue;
            };
            // Of as many those that are what is expected.
            let better = best.is_none_or(|(most, fits, _)| (tenants, fitting.is_some()) > (most, fits));
            if better {
                best = Some((tenants, fitting.is_some(), structure));
            }
        }
        best.map(|(_, _, structure)| structure)
    }

    /// Those of which only the number is known.
    pub fn unread(&self) -> impl Iterator<Item = &'t Tenant> {
        let unread = self.all.iter().filter(|it| it.structure.is_none());
        unread.flat_map(|it| it.tenants.iter().copied())
    }
}
