//! Views and routines that use one another.

use std::collections::{BTreeMap, BTreeSet};

use super::{Attributes, Change, Mending, Object, ObjectKind, Said, Turn, ident, words};

/// The texts, of which those that make something stand behind those that make what they use.
pub(super) fn by_use(said: Vec<Said>) -> Vec<String> {
    let mut texts = Vec::with_capacity(said.len());
    let mut rest = said.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut alike = vec![first];
        while let Some(next) = rest.next_if(|next| next.turn == alike[0].turn) {
            alike.push(next);
        }
        texts.extend(within(alike));
    }
    texts
}

fn within(alike: Vec<Said>) -> Vec<String> {
    let texts: Vec<(Option<&str>, &str)> = alike.iter().map(|it| (it.makes.as_deref(), &*it.text)).collect();
    let order = ranked(&texts);
    let mut texts: Vec<Option<String>> = alike.into_iter().map(|it| Some(it.text)).collect();
    order.into_iter().filter_map(|at| texts[at].take()).collect()
}

/// An order of (what it makes, text) in which each stands behind all that it uses.
fn ranked(all: &[(Option<&str>, &str)]) -> Vec<usize> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (makes, _)) in all.iter().enumerate() {
        if let Some(name) = makes {
            places.entry(plain(name)).or_default().push(at);
        }
    }
    let before = |at: usize| -> Vec<usize> {
        let (Some(_), text) = all[at] else {
            return Vec::new();
        };
        let used = names(text);
        let used = used.iter().filter_map(|name| places.get(name.as_str())).flatten();
        used.copied().filter(|it| *it != at).collect()
    };
    let before: Vec<Vec<usize>> = (0..all.len()).map(before).collect();
    let mut order = Vec::with_capacity(all.len());
    let mut entered = vec![false; all.len()];
    for at in 0..all.len() {
        enter(at, &before, &mut entered, &mut order);
    }
    order
}

fn enter(at: usize, before: &[Vec<usize>], entered: &mut [bool], order: &mut Vec<usize>) {
    if std::mem::replace(&mut entered[at], true) {
        return;
    }
    for first in &before[at] {
        enter(*first, before, entered, order);
    }
    order.push(at);
}

/// All names in a text.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    let parts = words::parts(text);
    let names = parts.iter().filter_map(words::name);
    names.map(|it| it.into_owned()).collect()
}

/// A routine's name without its arguments.
pub(super) fn plain(name: &str) -> &str {
    name.split('(').next().unwrap_or_default()
}

impl<'a> Mending<'a> {
    /// Views that are made anew go before all else, and with them those that use them; they come again.
    pub(super) fn views_anew(&mut self, anew: &[&'a Object]) {
        let views = self.expected.iter().filter(|(it, _)| it.kind == ObjectKind::View);
        let definition = |of: &Attributes<'a>| of.get("definition").copied().unwrap_or_default();
        let views: Vec<(&'a Object, &'a str)> = views.map(|(it, of)| (*it, definition(of))).collect();
        let used: Vec<BTreeSet<String>> = views.iter().map(|(_, text)| names(text)).collect();
        // No column gets another type while a view shows it.
        let retyped = |used: &BTreeSet<String>| {
            self.differences.iter().any(|it| {
                let of = &it.object;
                let is_type = |it: &Change| {
                    matches!(it, Change::Altered { attribute, .. } if matches!(attribute.as_str(), "type" | "collation"))
                };
                of.kind == ObjectKind::Column && is_type(&it.change) && used.contains(&of.table) && used.contains(&of.name)
            })
        };
        let mut going: Vec<bool> = views
            .iter()
            .zip(&used)
            .map(|((it, _), used)| anew.contains(it) || retyped(used) && !self.is_missing(it))
            .collect();
        let texts: Vec<_> = views
            .iter()
            .map(|(it, text)| (Some(it.name.as_str()), *text))
            .collect();
        let order = ranked(&texts);
        for at in &order {
            let uses = |other: usize| going[other] && used[*at].contains(&views[other].0.name);
            let goes = (0..views.len()).any(|other| other != *at && uses(other));
            going[*at] |= goes && !self.is_missing(views[*at].0);
        }
        for at in order.into_iter().rev().filter(|at| going[*at]) {
            let view = views[at].0;
            let kind = self.found_kind(view).or(self.attribute(view, "kind"));
            let kind = kind.unwrap_or("view").to_uppercase();
            self.say(
                Turn::DropView,
                format!("DROP {kind} {};", self.own(&ident(&view.name))),
            );
            self.create_view(view);
        }
    }

    /// Where it is another kind than it is to be.
    fn found_kind(&self, view: &Object) -> Option<&'a str> {
        self.differences.iter().find_map(|it| match &it.change {
            Change::Altered { attribute, found, .. } if it.object == *view && attribute == "kind" => {
                found.as_deref()
            }
            _ => None,
        })
    }
}
