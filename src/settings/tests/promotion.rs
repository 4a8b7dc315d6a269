use insta::assert_snapshot;

use super::*;

const PUBLIC: &str = "tenantgate-public-key:21fe31dfa154a261:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn promotion(lines: &str) -> Project {
    least_and(&format!("[promotion]\n{lines}\n"))
}

#[test]
fn what_is_not_said() {
    let promotion = Project::new(LEAST).settings().promotion;
    assert_eq!(promotion.store, Store::GithubIfKnown);
    assert!(promotion.public_keys.is_empty());
    assert_eq!(promotion.trusted_creators, ["github-actions[bot]"]);
    assert_eq!(promotion.overriding, Overriding::default());
}

#[test]
fn what_is_said() {
    let project = promotion(&format!(
        "store = \"github\"\npublic_keys = [\"{PUBLIC}\"]\ntrusted_creators = [\"gate[bot]\"]\n\
         [promotion.override]\nactors = [\"alice\"]\nteams = [\"acme/dba\"]\ncounts = true"
    ));
    let promotion = project.settings().promotion;
    assert_eq!(promotion.store, Store::Github);
    assert_eq!(promotion.public_keys[0].id.as_str(), "21fe31dfa154a261");
    assert_eq!(promotion.trusted_creators, ["gate[bot]"]);
    assert_eq!(promotion.overriding.teams[0].slug, "dba");
    assert!(promotion.overriding.counts);
}

#[test]
fn stores_that_contradict() {
    assert_snapshot!(promotion("store = \"folder\"").error());
    assert_snapshot!(promotion("store = \"github\"\nevidence = \"evidence\"").error());
    assert_snapshot!(promotion("store = \"gitlab\"").error());
    let mut flag = promotion("store = \"folder\"");
    flag.flags.evidence = Some("proofs".into());
    assert_eq!(flag.settings().promotion.store, Store::Folder("proofs".into()));
}

#[test]
fn keys_that_are_none() {
    let pair = crate::domain::SigningKey::generate().unwrap();
    let keys =
        |second: &str| promotion(&format!("public_keys = [\n  \"{PUBLIC}\",\n  '{second}',\n]")).error();
    assert_snapshot!(keys(&pair.expose_line()));
    assert_snapshot!(keys(&PUBLIC[..70]));
    assert_snapshot!(keys(&format!("\"{PUBLIC}\"")));
    assert_snapshot!(keys(&PUBLIC.replace("21fe", "21ff")));
    assert_snapshot!(keys("ssh-ed25519 AAAAC3Nz"));
    assert_snapshot!(keys(""));
}

#[test]
fn names_that_are_none() {
    assert_snapshot!(promotion("trusted_creators = [\"gate[bot]\", \"@alice\"]").error());
    assert_snapshot!(promotion("override.actors = [\"alice smith\"]").error());
    assert_snapshot!(promotion("override.teams = [\"dba\"]").error());
    assert_snapshot!(promotion("override.actor = [\"alice\"]").error());
    assert_snapshot!(promotion("public_key = \"x\"").error());
}

#[test]
fn the_signing_key() {
    let pair = crate::domain::SigningKey::generate().unwrap();
    let with = |value: &str| Project::new(LEAST).variable("TENANTGATE_SIGNING_KEY", value);
    let line = pair.expose_line();
    assert_eq!(
        with(&format!("{line}\n")).settings().signing_key,
        Some(pair.clone())
    );
    assert_eq!(with(" ").settings().signing_key, None);
    assert_snapshot!(with(&line[..50]).error());
    assert_snapshot!(with(&pair.public.to_line()).error());
    assert_snapshot!(with("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----").error());
}
