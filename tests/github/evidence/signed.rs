//! Given public keys in the config, when evidence is judged, then only what one of them signed counts.

use super::*;

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

/// A shop that demands signatures by these keys.
fn shop(keys: &[&SigningKey]) -> Shop {
    let shop = Shop::new();
    demand(&shop, keys);
    shop
}

fn demand(shop: &Shop, keys: &[&SigningKey]) {
    let lines: Vec<_> = keys
        .iter()
        .map(|key| format!("\"{}\"", key.public.to_line()))
        .collect();
    shop.promotion(&format!("public_keys = [{}]", lines.join(", ")));
}

fn sign_with(shop: &mut Shop, key: &SigningKey) {
    shop.project.secret("TENANTGATE_SIGNING_KEY", &key.expose_line());
    // No form of it may be told.
    for form in key.secret_forms() {
        shop.project.guard(&form);
    }
}

#[test]
fn signed_from_dev_to_prod_and_the_key_is_nowhere() {
    let key = key();
    let mut shop = shop(&[&key]);
    sign_with(&mut shop, &key);
    for environment in ["dev", "uat", "prod"] {
        shop.merge(environment);
        shop.run(environment).assert_code(0);
    }
    for request in shop.github.requests() {
        let text = request.body.to_string();
        for form in key.secret_forms() {
            assert!(!text.contains(&form), "{} {}", request.method, request.path);
        }
    }
    assert!(
        envelope(&shop.payload())
            .verify(
                &envelope(&shop.payload()).open().unwrap(),
                std::slice::from_ref(&key.public)
            )
            .is_ok()
    );
    for format in ["text", "json", "markdown", "github"] {
        shop.project
            .tenantgate(&["run", "--environment", "dev", "--format", format])
            .assert_code(0);
    }
}

#[test]
fn unsigned() {
    let key = key();
    let shop = shop(&[&key]);
    let run = shop.run("dev");
    run.assert_code(0);
    assert_eq!(run.checks_that("warned"), ["promotion.signed"]);
    let said = finding(&run, "promotion.signed");
    assert!(
        said.contains("will not be signed") && said.contains("uat will stay shut"),
        "{said}"
    );
    assert!(said.contains("TENANTGATE_SIGNING_KEY"), "{said}");
    assert_shut(
        &shop.promote("uat"),
        &["counts for nothing: it is not signed", "TENANTGATE_SIGNING_KEY"],
    );
    // Where nobody asks for signatures, it counts.
    shop.promotion("");
    shop.promote("uat").assert_code(0);
}

#[test]
fn signed_by_an_unknown_key_until_the_config_knows_it() {
    let (old, new) = (key(), key());
    let mut shop = shop(&[&old]);
    sign_with(&mut shop, &new);
    let run = shop.run("dev");
    run.assert_code(0);
    assert_eq!(run.checks_that("warned"), ["promotion.signed"]);
    let id = new.public.id.as_str().to_owned();
    assert!(finding(&run, "promotion.signed").contains(&id));
    assert_shut(
        &shop.promote("uat"),
        &[&id, "a key that the config does not know", "`public_keys`"],
    );
    // Rotation: both, then the new one alone.
    for keys in [&[&old, &new][..], &[&new]] {
        demand(&shop, keys);
        let open = shop.promote("uat");
        open.assert_code(0);
    }
    let again = shop.run("dev");
    assert_eq!(again.check("promotion.signed")["status"], "passed");
    // Nobody checks it: worth a note.
    shop.promotion("");
    let open = shop.promote("uat");
    open.assert_code(0);
    assert!(finding(&open, "promotion.evidence").contains("nothing here checks that"));
}

#[test]
fn altered_after_it_was_signed() {
    let key = key();
    let mut shop = shop(&[&key]);
    shop.project
        .replace("tenantgate.toml", "equals = 3", "equals = 4");
    sign_with(&mut shop, &key);
    shop.run("dev").assert_code(1);
    assert_shut(&shop.promote("uat"), &["dev was blocked with this change"]);
    // Blocked becomes passed, under the signature of the other.
    let payload = shop.payload();
    let mut evidence = Evidence::open(&payload.to_string(), &[]).unwrap().evidence;
    evidence.predicate.verdict = tenantgate::domain::Verdict::Passed;
    let mut forged = payload.clone();
    forged["payload"] = serde_json::to_value(evidence.seal(None).unwrap()).unwrap()["payload"].clone();
    shop.github.state().deployments.pop();
    shop.add(&forged, Forge::default());
    assert_shut(
        &shop.promote("uat"),
        &[
            "it was altered after key",
            key.public.id.as_str(),
            "find out who changed it",
        ],
    );
}

#[test]
fn in_a_folder_too() {
    let key = key();
    let mut shop = shop(&[&key]);
    let folder = |shop: &Shop, command: &str, environment: &str| {
        shop.project
            .tenantgate(&[command, "--environment", environment, "--evidence", "evidence"])
    };
    folder(&shop, "run", "dev").assert_code(0);
    assert_shut(&folder(&shop, "promote", "uat"), &["it is not signed"]);
    sign_with(&mut shop, &key);
    folder(&shop, "run", "dev").assert_code(0);
    let open = folder(&shop, "promote", "uat");
    open.assert_code(0);
    assert!(open.checks_that("passed").contains(&"promotion.evidence"));
}

#[test]
fn a_wrong_signing_key_stops_before_anything_is_touched() {
    let key = key();
    let mut shop = shop(&[&key]);
    let line = key.expose_line();
    for (value, words) in [
        (
            key.public.to_line(),
            "holds a public key where the signing key belongs",
        ),
        (line[..60].to_owned(), "is cut off"),
        (format!("\"{line}\""), "has quotes around it"),
        ("hunter2-hunter2-hunter2".to_owned(), "is no key of tenantgate's"),
    ] {
        shop.project.env("TENANTGATE_SIGNING_KEY", value.clone());
        let run = shop.run("dev");
        run.assert_code(2);
        assert!(run.stderr.contains("TENANTGATE_SIGNING_KEY"), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(!run.stderr.contains(&value[value.len() - 12..]), "{}", run.stderr);
    }
    assert!(shop.github.requests().is_empty());
    assert!(!shop.project.path("../../target/quickstart/dev").exists());
    // What a secret that is not there looks like to a step.
    shop.project.env("TENANTGATE_SIGNING_KEY", "");
    shop.run("dev").assert_code(0);
}
