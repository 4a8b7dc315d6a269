//! `<version>_<name>.sql`, and what else lies in such folders.

use crate::domain::Version;

/// What a file's name says about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileName {
    Migration {
        version: Version,
        name: String,
    },
    /// `<version>_<name>.down.sql`: the way back, never part of the set.
    Down {
        version: Version,
        name: String,
    },
    /// Not SQL: a README, a `.gitkeep`.
    Other,
    /// SQL whose name says no version: it would be skipped in silence, so it is a finding.
    Bad(&'static str),
}

pub(super) fn parse(file_name: &str) -> FileName {
    let Some((stem, extension)) = file_name.rsplit_once('.') else {
        return FileName::Other;
    };
    if !extension.eq_ignore_ascii_case("sql") || stem.is_empty() || file_name.starts_with('.') {
        return FileName::Other;
    }
    let back = stem.len() - ".down".len().min(stem.len());
    if stem.is_char_boundary(back) && stem[back..].eq_ignore_ascii_case(".down") {
        return match migration(&stem[..back]) {
            FileName::Migration { version, name } => FileName::Down { version, name },
            other => other,
        };
    }
    migration(stem)
}

fn migration(stem: &str) -> FileName {
    let Some((digits, name)) = stem.split_once('_') else {
        return FileName::Bad("there is no `_` between the version and the name");
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return FileName::Bad("the version before the first `_` is not a number");
    }
    if name.is_empty() {
        return FileName::Bad("there is no name after the version");
    }
    if name.len() > 200 {
        return FileName::Bad("the name is longer than 200 bytes, which the ledger does not keep");
    }
    match digits.parse() {
        Ok(number) if (1..=Version::LARGEST).contains(&number) => FileName::Migration {
            version: Version(number),
            name: name.to_owned(),
        },
        Ok(0) => FileName::Bad("versions begin at 1"),
        _ => FileName::Bad("the version is larger than 9223372036854775807"),
    }
}

/// Whether a file's name is that of a migration.
pub(crate) fn is_migration(file_name: &str) -> bool {
    matches!(parse(file_name), FileName::Migration { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_numbers() {
        for text in ["7_a.sql", "0007_a.sql", "000000007_a.SQL"] {
            assert_eq!(
                parse(text),
                FileName::Migration {
                    version: Version(7),
                    name: "a".into()
                },
                "{text}"
            );
        }
        let stamp = parse("20260102030405_add_priority.sql");
        assert_eq!(
            stamp,
            FileName::Migration {
                version: Version(20_260_102_030_405),
                name: "add_priority".into()
            }
        );
    }

    #[test]
    fn sql_that_would_be_skipped_is_bad() {
        for text in [
            "a.sql",
            "V1__a.sql",
            "_a.sql",
            "1_.sql",
            "1-a.sql",
            "0_a.sql",
            "99999999999999999999_a.sql",
        ] {
            assert!(matches!(parse(text), FileName::Bad(_)), "{text}");
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for text in ["README.md", ".gitkeep", "notes", ".0001_a.sql"] {
            assert_eq!(parse(text), FileName::Other, "{text}");
        }
    }

    #[test]
    fn the_way_back_has_a_name_of_its_own() {
        for text in ["0001_a.down.sql", "1_a.DOWN.sql"] {
            let down = FileName::Down {
                version: Version(1),
                name: "a".into(),
            };
            assert_eq!(parse(text), down, "{text}");
        }
        for text in ["a.down.sql", ".down.sql", "down.sql", "1_.down.sql"] {
            assert!(!matches!(parse(text), FileName::Down { .. }), "{text}");
        }
    }
}
