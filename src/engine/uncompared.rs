//! What the ledger keeps of structures that were changed and not compared since, the same for all engines.
//!
//! A run that is about to change structures leaves a mark first; one that has compared them, and found nothing that
//! blocks, takes away the marks that it had seen before. So a run that was killed, or that found drift, is followed
//! by one that compares again, though nothing is pending any more.

use crate::domain::Shard;

/// One mark: the part of the environment that was to be changed, as in `engine/lease.rs`, and a number of
/// its own. Letters that need no escaping anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    part: String,
    number: String,
}

impl Mark {
    pub fn new(shard: Option<Shard>) -> Self {
        Self {
            part: shard.map(|shard| shard.to_string()).unwrap_or_default(),
            number: format!("{:016x}", fastrand::u64(..)),
        }
    }

    /// Reads the column; what is no mark is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (part, number) = text.split_once(':')?;
        let plain = |it: &str| {
            it.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
        };
        (plain(part) && plain(number)).then(|| Self {
            part: part.to_owned(),
            number: number.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{}:{}", self.part, self.number)
    }

    /// Whether a run of this shard, or of all, has to compare.
    pub fn concerns(&self, shard: Option<Shard>) -> bool {
        shard.is_none_or(|shard| self.part.is_empty() || self.part == shard.to_string())
    }

    /// Whether a run of this shard, or of all, has compared all that it stands for.
    pub fn is_within(&self, shard: Option<Shard>) -> bool {
        shard.is_none_or(|shard| self.part == shard.to_string())
    }
}

/// Leaves one mark, in the place of those that it includes.
pub(super) fn leave(table: &str, mark: &Mark) -> String {
    let included = match mark.part.as_str() {
        "" => String::new(),
        part => format!(" AND mark LIKE '{part}:%'"),
    };
    let text = mark.text();
    // The new one first: between the two there may be the end of everything.
    format!(
        "INSERT INTO {table} (mark) VALUES ('{text}');DELETE FROM {table} WHERE mark <> '{text}'{included}"
    )
}

pub(super) fn read(table: &str) -> String {
    format!("SELECT mark FROM {table}")
}

pub(super) fn take_away(table: &str, marks: &[Mark]) -> String {
    let marks: Vec<String> = marks.iter().map(|mark| format!("'{}'", mark.text())).collect();
    format!("DELETE FROM {table} WHERE mark IN ({})", marks.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_for_those_who_share_its_part() {
        let shard = |text: &str| Some(text.parse::<Shard>().unwrap());
        let (whole, third) = (Mark::new(None), Mark::new(shard("3/8")));
        assert!(whole.concerns(None) && whole.concerns(shard("3/8")));
        assert!(whole.is_within(None) && !whole.is_within(shard("3/8")));
        assert!(third.concerns(None) && third.concerns(shard("3/8")) && !third.concerns(shard("2/8")));
        assert!(third.is_within(None) && third.is_within(shard("3/8")));
        assert_eq!(Mark::parse(&third.text()).unwrap(), third);
        assert_eq!(Mark::parse(&whole.text()).unwrap(), whole);
        assert_eq!(Mark::parse("it's"), None);
        assert_eq!(Mark::parse(":'"), None);
    }

    #[test]
    fn a_later_mark_stands_for_those_before() {
        let [mark, third] = [":1", "3/8:2"].map(|text| Mark::parse(text).unwrap());
        assert_eq!(
            leave("t", &mark),
            "INSERT INTO t (mark) VALUES (':1');DELETE FROM t WHERE mark <> ':1'"
        );
        assert_eq!(
            leave("t", &third),
            "INSERT INTO t (mark) VALUES ('3/8:2');DELETE FROM t WHERE mark <> '3/8:2' AND mark LIKE '3/8:%'"
        );
        assert_eq!(
            take_away("t", &[mark, third]),
            "DELETE FROM t WHERE mark IN (':1', '3/8:2')"
        );
    }
}
