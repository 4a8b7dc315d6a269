use insta::assert_snapshot;

use super::*;

const PUBLIC: &str = "tenantgate-public-key:21fe31dfa154a261:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn promotion(lines: &str) -> Project {
    least_and(&format!("[promotion]\n{lines}\n"))
}

#[test]
fn what_is_not_said() {
    let promotion = Project::new(LEAST).settings().promotion;
    assert_eq!(promotion.store, Store::Auto(None));
    assert!(promotion.public_keys == crate::domain::KeyRing::default());
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
    assert_eq!(promotion.public_keys.general[0].id.as_str(), "21fe31dfa154a261");
    assert_eq!(promotion.trusted_creators, ["gate[bot]"]);
    assert_eq!(promotion.overriding.teams[0].slug, "dba");
    assert!(promotion.overriding.counts);
}

/// Whoever has dev's key cannot vouch for uat.
#[test]
fn an_environment_has_keys_of_its_own() {
    let project = Project::new(&LEAST.replace(
        "[environments.dev]\n",
        &format!("[environments.dev]\npublic_keys = [\"{PUBLIC}\"]\n"),
    ));
    let settings = project.settings();
    let keys = &settings.promotion.public_keys;
    assert_eq!(keys.of(&settings.environment.name).len(), 1);
    let uat = crate::domain::EnvironmentName::parse("uat").unwrap();
    assert!(keys.of(&uat).is_empty());
    let wrong = LEAST.replace(
        "[environments.dev]\n",
        "[environments.dev]\npublic_keys = [\"x\"]\n",
    );
    let error = Project::new(&wrong).error();
    assert!(error.starts_with("tenantgate.toml:"), "{error}");
    assert!(error.contains("key 1 of `public_keys`"), "{error}");
}

#[test]
fn stores_that_contradict() {
    assert_snapshot!(promotion("store = \"folder\"").error(), @r#"
    tenantgate.toml:10:9: `store` is "folder", and no folder is named
      hint: name it: evidence = "evidence" in [promotion], or --evidence DIR
    "#);
    assert_snapshot!(promotion("store = \"github\"\nevidence = \"evidence\"").error(), @r#"
    tenantgate.toml:11:12: `evidence` says nothing where `store` is "github"
      hint: leave one of the two out
    "#);
    assert_snapshot!(promotion("store = \"s3\"").error(), @r#"
    tenantgate.toml:10:9: `store` in [promotion] is not one of `auto`, `folder`, `github`
      hint: such as store = "auto"
    "#);
    assert_snapshot!(promotion("store = \"gitlab\"").error(), @r#"
    tenantgate.toml:10:9: `store` in [promotion] is not one of `auto`, `folder`, `github`
      hint: did you mean `github`?
    "#);
    let mut flag = promotion("store = \"folder\"");
    flag.flags.evidence = Some("proofs".into());
    assert_eq!(flag.settings().promotion.store, Store::Folder("proofs".into()));
}

#[test]
fn keys_that_are_none() {
    let pair = crate::domain::SigningKey::generate().unwrap();
    let keys =
        |second: &str| promotion(&format!("public_keys = [\n  \"{PUBLIC}\",\n  '{second}',\n]")).error();
    assert_snapshot!(keys(&pair.expose_line()), @r#"
    tenantgate.toml:12:3: key 2 of `public_keys` holds a SIGNING key where a public one belongs
      hint: whoever can read this file can now sign evidence: take it out, make a new pair with `tenantgate keygen`, and put the line that begins with `tenantgate-public-key:` here
    "#);
    assert_snapshot!(keys(&PUBLIC[..70]), @r#"
    tenantgate.toml:12:3: key 2 of `public_keys` is cut off: the end of the key is missing
      hint: copy the whole line again, as `tenantgate keygen` printed it; where it is lost, make a new pair
    "#);
    assert_snapshot!(keys(&format!("\"{PUBLIC}\"")), @r#"
    tenantgate.toml:12:3: key 2 of `public_keys` has quotes around it
      hint: leave the quotes out: the value is the line as `tenantgate keygen` prints it
    "#);
    assert_snapshot!(keys(&PUBLIC.replace("21fe", "21ff")), @r#"
    tenantgate.toml:12:3: key 2 of `public_keys` is damaged: the key does not fit its own id
      hint: copy the whole line again, as `tenantgate keygen` printed it; where it is lost, make a new pair
    "#);
    assert_snapshot!(keys("ssh-ed25519 AAAAC3Nz"), @r#"
    tenantgate.toml:12:3: key 2 of `public_keys` is no key of tenantgate's: it does not begin with `tenantgate-public-key:`
      hint: make a pair with `tenantgate keygen`: the signing key is one line for a secret, the public key one for the config
    "#);
    assert_snapshot!(keys(""), @r#"
    tenantgate.toml:12:3: key 2 of `public_keys` is empty
      hint: make a pair with `tenantgate keygen`: the signing key is one line for a secret, the public key one for the config
    "#);
}

#[test]
fn names_that_are_none() {
    assert_snapshot!(promotion("trusted_creators = [\"gate[bot]\", \"@alice\"]").error(), @r#"
    tenantgate.toml:10:34: name 2 of `trusted_creators` is not a login on GitHub
      hint: without @: "alice", or "my-app[bot]" for an app
    "#);
    assert_snapshot!(promotion("override.actors = [\"alice smith\"]").error(), @r#"
    tenantgate.toml:10:20: name 1 of `actors` is not a login on GitHub
      hint: without @: "alice", or "my-app[bot]" for an app
    "#);
    assert_snapshot!(promotion("override.teams = [\"dba\"]").error(), @r#"
    tenantgate.toml:10:19: team 1 of `teams` is not of the form "org/team"
      hint: the organisation and the team's short name, as in the address of its page: "my-org/dba"
    "#);
    assert_snapshot!(promotion("override.actor = [\"alice\"]").error(), @r#"
    tenantgate.toml:10:10: unknown key `actor` in [promotion.override]
      hint: did you mean `actors`?
    "#);
    assert_snapshot!(promotion("public_key = \"x\"").error(), @r#"
    tenantgate.toml:10:1: unknown key `public_key` in [promotion]
      hint: did you mean `public_keys`?
    "#);
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
    assert_snapshot!(with(&line[..50]).error(), @r#"
    the variable TENANTGATE_SIGNING_KEY is cut off: the end of the key is missing
      hint: copy the whole line again, as `tenantgate keygen` printed it; where it is lost, make a new pair
    "#);
    assert_snapshot!(with(&pair.public.to_line()).error(), @r#"
    the variable TENANTGATE_SIGNING_KEY holds a public key where the signing key belongs
      hint: the secret is the line that begins with `tenantgate-signing-key:`; where it is lost, make a new pair with `tenantgate keygen`
    "#);
    assert_snapshot!(with("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----").error(), @r#"
    the variable TENANTGATE_SIGNING_KEY holds a key in PEM's form
      hint: make a pair with `tenantgate keygen`: the signing key is one line for a secret, the public key one for the config
    "#);
}
