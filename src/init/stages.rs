//! Which environments there are: concluded from branches, GitHub environments and names of secrets.

/// Kinds of environments, in the order of promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Dev,
    Test,
    Staging,
    Uat,
    Preprod,
    Prod,
}

const WORDS: &[(Kind, &[&str])] = &[
    (Kind::Dev, &["dev", "develop", "development"]),
    (Kind::Test, &["test", "testing", "qa"]),
    (Kind::Staging, &["staging", "stage", "stg"]),
    (Kind::Uat, &["uat", "acceptance"]),
    (Kind::Preprod, &["preprod", "preproduction"]),
    (Kind::Prod, &["prod", "production", "prd", "live"]),
];

/// Branches that a kind is deployed from, the likeliest first.
fn usual_branches(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Dev => &["develop", "dev", "development"],
        Kind::Test => &["test", "testing", "qa"],
        Kind::Staging => &["staging", "stage", "stg"],
        Kind::Uat => &["uat", "acceptance"],
        Kind::Preprod => &["preprod", "pre-prod", "preproduction"],
        Kind::Prod => &["production", "prod", "live", "main", "master", "trunk"],
    }
}

const TRUNKS: &[&str] = &["main", "master", "trunk"];

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Dev,
        Self::Test,
        Self::Staging,
        Self::Uat,
        Self::Preprod,
        Self::Prod,
    ];

    /// What a name says: `uat2-backend`, `PROD_DB_URL` by its first part.
    pub(super) fn of(name: &str) -> Option<Self> {
        name.split(|c: char| !c.is_ascii_alphanumeric())
            .find_map(Self::of_word)
    }

    /// `DEV`, `uat2`.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let is = |(_, words): &&(Self, &[&str])| words.contains(&word);
        WORDS.iter().find(is).map(|(kind, _)| *kind)
    }

    pub(super) fn usual_name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Staging => "staging",
            Self::Uat => "uat",
            Self::Preprod => "preprod",
            Self::Prod => "prod",
        }
    }

    /// Its branch among those there are. Where `production` is one, `main` is what dev is deployed from.
    pub(super) fn branch(self, branches: &[String]) -> Option<String> {
        let has = |name: &&&str| branches.iter().any(|branch| branch == **name);
        let own = usual_branches(self).iter().find(has);
        let trunk = || {
            let prod = usual_branches(Self::Prod).iter().find(has)?;
            TRUNKS.iter().filter(|name| *name != prod).find(has)
        };
        let found = own.or_else(|| trunk().filter(|_| self == Self::Dev));
        found.map(|name| (*name).to_owned())
    }

    /// What its branch would be called.
    pub(super) fn usual_branch(self) -> &'static str {
        match self {
            Self::Prod => "main",
            other => usual_branches(other)[0],
        }
    }
}

/// The kinds to make environments of, given those of which something was seen.
pub(super) fn complete(mut seen: Vec<Kind>) -> Vec<Kind> {
    seen.sort_unstable();
    seen.dedup();
    if seen.iter().all(|kind| *kind == Kind::Prod) || seen == [Kind::Dev] {
        return vec![Kind::Dev, Kind::Uat, Kind::Prod];
    }
    if !seen.contains(&Kind::Prod) {
        seen.push(Kind::Prod);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_name_says_its_kind() {
        for (name, kind) in [
            ("uat2-backend", Some(Kind::Uat)),
            ("Production", Some(Kind::Prod)),
            ("STAGING_DB_URL", Some(Kind::Staging)),
            ("backend", None),
            ("devices", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }

    #[test]
    fn a_production_branch_leaves_main_to_dev() {
        let both = branches(&["main", "production"]);
        assert_eq!(Kind::Prod.branch(&both).as_deref(), Some("production"));
        assert_eq!(Kind::Dev.branch(&both).as_deref(), Some("main"));
        let usual = branches(&["develop", "main", "uat"]);
        assert_eq!(Kind::Prod.branch(&usual).as_deref(), Some("main"));
        assert_eq!(Kind::Dev.branch(&usual).as_deref(), Some("develop"));
        assert_eq!(Kind::Dev.branch(&branches(&["master"])), None);
    }

    #[test]
    fn there_is_always_a_way_to_prod() {
        let usual = vec![Kind::Dev, Kind::Uat, Kind::Prod];
        assert_eq!(complete(vec![]), usual);
        assert_eq!(complete(vec![Kind::Prod]), usual);
        assert_eq!(complete(vec![Kind::Dev]), usual);
        assert_eq!(complete(vec![Kind::Staging]), [Kind::Staging, Kind::Prod]);
        assert_eq!(
            complete(vec![Kind::Prod, Kind::Dev, Kind::Dev]),
            [Kind::Dev, Kind::Prod]
        );
    }
}
