//! A part of an environment's tenants, for one job of several.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::TenantName;

/// `3/8`: the third of eight parts. Which part a tenant belongs to depends on its name alone, so each is in
/// exactly one of them, also when tenants come and go while the jobs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Shard {
    index: u16,
    of: u16,
}

/// Why a text names no shard. It carries no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShard {
    #[error("a shard is written as INDEX/NUMBER, such as 3/8")]
    Form,
    #[error("shards are counted from 1")]
    Zero,
    #[error("there is no shard {index} of {of}")]
    TooFar { index: u64, of: u64 },
    #[error("more than {} shards are more jobs than a matrix of GitHub has", Shard::MOST)]
    TooMany,
}

impl Shard {
    /// [Jobs of a matrix](https://docs.github.com/actions/reference/limits), for each workflow run.
    pub const MOST: u16 = 256;

    /// All the shards of so many.
    pub fn all(number: u16) -> Result<Vec<Self>, InvalidShard> {
        let of = within(u64::from(number))?;
        Ok((1..=of).map(|index| Self { index, of }).collect())
    }

    /// How many there are of its kind.
    pub fn number(self) -> u16 {
        self.of
    }

    pub fn has(self, tenant: &TenantName) -> bool {
        let hash = Sha256::digest(tenant.as_str().as_bytes());
        let (first, _) = hash.split_first_chunk::<8>().expect("SHA-256 has 32 bytes");
        u64::from_be_bytes(*first) % u64::from(self.of) == u64::from(self.index - 1)
    }
}

fn within(of: u64) -> Result<u16, InvalidShard> {
    match u16::try_from(of) {
        Ok(0) => Err(InvalidShard::Zero),
        Ok(of) if of <= Shard::MOST => Ok(of),
        _ => Err(InvalidShard::TooMany),
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let number = |text: &str| {
            // `+3` and `03` are numbers to Rust, and a second way to write the same shard.
            let plain = text.bytes().all(|it| it.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
            plain.then(|| text.parse::<u64>().ok()).flatten()
        };
        let (index, of) = text.split_once('/').ok_or(InvalidShard::Form)?;
        let (index, of) = number(index).zip(number(of)).ok_or(InvalidShard::Form)?;
        let limited = within(of)?;
        match u16::try_from(index) {
            Ok(0) => Err(InvalidShard::Zero),
            Ok(index) if index <= limited => Ok(Self { index, of: limited }),
            _ => Err(InvalidShard::TooFar { index, of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl TryFrom<String> for Shard {
    type Error = InvalidShard;

    fn try_from(text: String) -> Result<Self, InvalidShard> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(name: &str) -> TenantName {
        TenantName::parse(name).unwrap()
    }

    #[test]
    fn a_shard_is_written_in_one_way() {
        for text in ["1/1", "3/8", "256/256"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        let wrong = |text: &str| text.parse::<Shard>().unwrap_err().to_string();
        for text in [
            "", "3", "3/", "/8", "3/8/2", "+3/8", "03/8", "3/ 8", "-1/8", "three/8", "3 of 8",
        ] {
            assert_eq!(
                wrong(text),
                "a shard is written as INDEX/NUMBER, such as 3/8",
                "{text}"
            );
        }
        assert_eq!(wrong("0/8"), "shards are counted from 1");
        assert_eq!(wrong("0/0"), "shards are counted from 1");
        assert_eq!(wrong("9/8"), "there is no shard 9 of 8");
        assert_eq!(wrong("70000/8"), "there is no shard 70000 of 8");
        assert!(wrong("1/257").starts_with("more than 256 shards"));
        assert!(wrong("1/65536").starts_with("more than 256 shards"));
        assert!(Shard::all(0).is_err() && Shard::all(257).is_err());
    }

    /// What one version of the program says another must say too: jobs of one matrix, and of a rerun.
    #[test]
    fn where_a_tenant_belongs_never_changes() {
        let of = |name: &str| {
            let name = tenant(name);
            Shard::all(8)
                .unwrap()
                .into_iter()
                .find(|it| it.has(&name))
                .unwrap()
                .to_string()
        };
        let found = ["acme", "zeta", "Acme", "müller", "t01", "t02"].map(of);
        // As anybody can compute them: the first eight bytes of SHA-256, big-endian, modulo 8, plus 1.
        assert_eq!(found, ["1/8", "1/8", "4/8", "4/8", "1/8", "2/8"]);
    }

    #[test]
    fn shards_are_roughly_even() {
        for number in [2, 8, 64] {
            let mut sizes = vec![0_usize; usize::from(number)];
            for index in 0..10_000 {
                let name = tenant(&format!("tenant_{index:05}"));
                let at = Shard::all(number)
                    .unwrap()
                    .iter()
                    .position(|it| it.has(&name))
                    .unwrap();
                sizes[at] += 1;
            }
            let even = 10_000 / usize::from(number);
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(
                *least * 10 > even * 6 && *most * 10 < even * 15,
                "{number}: {sizes:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn each_tenant_is_in_exactly_one_shard(name in "[a-z0-9_ü][a-zA-Z0-9_.ß-]{0,25}", number in 1..=256_u16) {
            let name = tenant(&name);
            let shards = Shard::all(number).unwrap();
            prop_assert_eq!(shards.iter().filter(|it| it.has(&name)).count(), 1);
        }

        #[test]
        fn what_parses_is_one_of_all(text in "[0-9]{1,3}/[0-9]{1,3}") {
            if let Ok(shard) = text.parse::<Shard>() {
                prop_assert!(Shard::all(shard.number()).unwrap().contains(&shard));
                prop_assert_eq!(shard.to_string(), text);
            }
        }
    }
}
