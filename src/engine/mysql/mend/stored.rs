//! Views, routines, triggers and events.

use crate::domain::ObjectKind::{Event, Routine, Trigger, View};
use crate::domain::{DEFINER, Object};
use crate::engine::facts::Fate;

use super::super::sql::ident;
use super::{MODE, Mend, text};

impl Mend<'_> {
    /// Views that are built on others come behind them.
    pub(super) fn views(&self) -> Vec<String> {
        let wanted = self
            .of(View)
            .into_iter()
            .filter(|(_, fate)| *fate != Fate::Dropped);
        let mut rest: Vec<&Object> = wanted.map(|(object, _)| object).collect();
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let needs = |one: &Object, other: &Object| {
                one != other && self.facts.text(one, "definition").contains(&ident(&other.name))
            };
            let free = rest
                .iter()
                .position(|one| !rest.iter().any(|other| needs(one, other)));
            lines.push(self.view(rest.remove(free.unwrap_or(0))));
        }
        lines
    }

    fn view(&self, object: &Object) -> String {
        let of = |attribute| self.facts.text(object, attribute);
        let option = match of("check option") {
            "" => String::new(),
            option => format!("\n{option}"),
        };
        format!(
            "CREATE OR REPLACE ALGORITHM={} DEFINER={} SQL SECURITY {} VIEW {} AS\n{}{option};",
            of("algorithm"),
            self.account(of(DEFINER)),
            of("security"),
            ident(&object.name),
            of("definition")
        )
    }

    /// A statement that has others in it, under the mode that its text was written for.
    fn with_body(&self, object: &Object, head: &str) -> String {
        let of = |attribute| self.facts.text(object, attribute);
        let statement = format!(
            "CREATE DEFINER={} {head}\n{}",
            self.account(of(DEFINER)),
            of("body")
        );
        let end = delimiter(&statement);
        let comments = ["--", "#", "/*"].into_iter().any(|it| statement.contains(it));
        let note = match comments {
            true => "-- Without --comments the client takes the comments out of it.\n",
            false => "",
        };
        format!(
            "{note}SET SESSION sql_mode = {};\nDELIMITER {end}\n{statement}{end}\nDELIMITER ;\n{MODE}",
            text(of("sql mode")),
        )
    }

    pub(super) fn routines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (object, fate) in self.of(Routine) {
            let (kind, name) = object.name.split_once(' ').unwrap_or_default();
            if !matches!(kind, "procedure" | "function") {
                lines.push(format!("-- no SQL is known that mends the {object}"));
                continue;
            }
            let head = format!("{} {}", kind.to_uppercase(), ident(name));
            if fate != Fate::Made {
                lines.push(format!("DROP {head};"));
            }
            if fate != Fate::Dropped {
                lines.push(self.routine(object, &head));
            }
        }
        lines
    }

    fn routine(&self, object: &Object, head: &str) -> String {
        let of = |attribute| self.facts.text(object, attribute);
        let returns = self.facts.get(object, "returns");
        let returns = returns.map_or_else(String::new, |it| format!(" RETURNS {it}"));
        let not = if of("deterministic") == "YES" { "" } else { "NOT " };
        let comment = self.facts.get(object, "comment");
        let comment = comment.map_or_else(String::new, |it| format!(" COMMENT {}", text(it)));
        let head = format!(
            "{head}({}){returns}\n{not}DETERMINISTIC {} SQL SECURITY {}{comment}",
            of("parameters"),
            of("data access"),
            of("security")
        );
        self.with_body(object, &head)
    }

    /// In the order in which they fire, so that each can follow the one before.
    pub(super) fn triggers(&self) -> Vec<String> {
        let wanted = self
            .of(Trigger)
            .into_iter()
            .filter(|(_, fate)| *fate != Fate::Dropped);
        let mut wanted: Vec<&Object> = wanted.map(|(object, _)| object).collect();
        // Parts of a table that is missing are not named by themselves.
        for table in self.made() {
            wanted.extend(self.facts.of_table(Trigger, table));
        }
        wanted.sort_by_key(|it| self.order(it));
        wanted.into_iter().map(|it| self.trigger(it)).collect()
    }

    fn is_there(&self, trigger: &Object) -> bool {
        !self.fates.contains_key(trigger) && !self.made().contains(&trigger.table.as_str())
    }

    fn order(&self, object: &Object) -> usize {
        self.facts.text(object, "order").parse().unwrap_or(0)
    }

    fn trigger(&self, object: &Object) -> String {
        let of = |attribute| self.facts.text(object, attribute);
        let alike = |it: &&Object| {
            let same = |attribute| self.facts.text(it, attribute) == of(attribute);
            same("timing") && same("event")
        };
        let all = self.facts.of_table(Trigger, &object.table);
        let at = |order: usize| {
            all.iter()
                .copied()
                .filter(alike)
                .find(|it| self.order(it) == order)
        };
        let order = self.order(object);
        let place = match (at(order.wrapping_sub(1)), at(order + 1)) {
            (Some(before), _) => format!("\nFOLLOWS {}", ident(&before.name)),
            // One that is made anew is not there yet.
            (None, Some(behind)) if self.is_there(behind) => {
                format!("\nPRECEDES {}", ident(&behind.name))
            }
            _ => String::new(),
        };
        let head = format!(
            "TRIGGER {} {} {} ON {} FOR EACH ROW{place}",
            ident(&object.name),
            of("timing"),
            of("event"),
            ident(&object.table)
        );
        // Those behind it are made anew, too; so it can be run again.
        format!(
            "DROP TRIGGER IF EXISTS {};\n{}",
            ident(&object.name),
            self.with_body(object, &head)
        )
    }

    pub(super) fn events(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (object, fate) in self.of(Event) {
            let of = |attribute| self.facts.text(object, attribute);
            let once = !of("schedule").starts_with("EVERY ");
            if fate != Fate::Made && (fate == Fate::Dropped || !once) {
                lines.push(format!("DROP EVENT {};", ident(&object.name)));
            }
            if fate == Fate::Dropped {
                continue;
            }
            if once {
                lines.push(format!(
                    "-- no SQL is known that mends the {object}: it runs once, and its time is not kept"
                ));
                continue;
            }
            let status = match of("status") {
                "ENABLED" => "ENABLE",
                "DISABLED" => "DISABLE",
                _ => "DISABLE ON SLAVE",
            };
            let comment = self.facts.get(object, "comment");
            let comment = comment.map_or_else(String::new, |it| format!(" COMMENT {}", text(it)));
            let head = format!(
                "EVENT {} ON SCHEDULE {} ON COMPLETION {} {status}{comment} DO",
                ident(&object.name),
                of("schedule"),
                of("on completion")
            );
            lines.push(format!("SET SESSION time_zone = {};", text(of("time zone"))));
            lines.push(self.with_body(object, &head));
        }
        lines
    }
}

/// The client looks for it in texts and comments, too.
fn delimiter(statement: &str) -> String {
    let mut end = "//".to_owned();
    while statement.contains(&end) || statement.ends_with('/') && end.starts_with('/') {
        end = match end.as_str() {
            "//" => "$$".to_owned(),
            longer => format!("{longer}$"),
        };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_statement_is_not_in_it() {
        assert_eq!(delimiter("BEGIN SELECT 1; END"), "//");
        assert_eq!(delimiter("BEGIN SELECT 'https://a'; END"), "$$");
        assert_eq!(delimiter("BEGIN SELECT '//', '$$'; END"), "$$$");
        assert_eq!(delimiter("SELECT 1 /* so */"), "$$");
    }
}
