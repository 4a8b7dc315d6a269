//! Tenants that are made alike.

use std::collections::BTreeMap;

use crate::baseline;
use crate::domain::{Fingerprint, Print, Structure, Tenant};

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

    /// What most are, among those that are what `base` says where any are.
    pub fn reference(&self, base: &Structure) -> Option<&Structure> {
        let kept = || self.all.iter().filter_map(|it| it.structure.as_ref());
        let base = base.portable();
        let fits = |found: &&Structure| baseline::differences(&base, &found.portable()).is_empty();
        kept().find(fits).or_else(|| kept().next())
    }

    /// Those of which only the number is known.
    pub fn unread(&self) -> impl Iterator<Item = &'t Tenant> {
        let unread = self.all.iter().filter(|it| it.structure.is_none());
        unread.flat_map(|it| it.tenants.iter().copied())
    }
}
