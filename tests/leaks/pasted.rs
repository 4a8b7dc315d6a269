//! Secrets in the wrong place: the config, an env file, an argument.

use super::detector::encoded;
use super::scene::{KEY, PASSWORD, Scene};
use crate::harness::Server;

fn marked_url() -> String {
    format!("postgres://app:{}@db.example.com:5432/app", encoded(PASSWORD))
}

#[test]
fn in_the_config() {
    let url = marked_url();
    let key = KEY.replace('"', "\\\"");
    let raw = KEY;
    for (from, to) in [
        (
            "database_url = \"DEV_DB_URL\"",
            format!("database_url = \"{url}\""),
        ),
        (
            "database_url = \"DEV_DB_URL\"",
            format!("database_url = \"{key}\""),
        ),
        ("database_url = \"DEV_DB_URL\"", format!("database_url = {url}")),
        (
            "database_url = \"DEV_DB_URL\"",
            format!("database_url = \"DEV_DB_URL\"\ndirect_url = \"{url}\""),
        ),
        ("database_url = \"DEV_DB_URL\"", format!("database_url = \"{url}")),
        ("database_url = \"DEV_DB_URL\"", format!("\"{url}\" = 1")),
        (
            "database_url = \"DEV_DB_URL\"",
            format!("database_url = \"DEV_DB_URL\"\n\"{url}\" = 1"),
        ),
        (
            "database_url = \"DEV_DB_URL\"",
            format!("database_url = [\"{url}\"]"),
        ),
        ("after = \"dev\"", format!("after = \"{url}\"")),
        ("after = \"dev\"", format!("after = \"dev\"\nsoak = \"{key}\"")),
        (
            "database_url = \"DEV_DB_URL\"",
            format!("database_url = \"DEV_DB_URL_2\"\nenv_file = \"{url}\""),
        ),
        ("evidence = \"evidence\"", format!("evidence = \"{url}\"")),
        ("\"migrations/shared\"", format!("\"{url}\"")),
        ("\"migrations/tenant\"", format!("\"{url}\"")),
        ("[environments.uat]", format!("[environments.\"{url}\"]")),
        (
            "[environments.uat]",
            format!("[environments.\"{url}\"]\nx = 1\n[environments.uat]"),
        ),
        (
            "[promotion]",
            format!("[secrets]\nDEV_TOKEN = \"{key}\"\n[promotion]"),
        ),
        ("[promotion]", format!("[secrets]\n\"{url}\" = {{}}\n[promotion]")),
        ("[promotion]", format!("[secrets]\n\"{url}\" = 1\n[promotion]")),
        (
            "[promotion]",
            format!("[secrets.\"{url}\"]\nmin = 1\n[promotion]"),
        ),
        ("concurrency = 1", format!("concurrency = \"{key}\"")),
        ("lock_timeout = \"5s\"", format!("lock_timeout = \"{key}\"")),
        ("lock_timeout = \"5s\"", format!("canary = [\"{key}\"]")),
        ("name = \"desk\"", format!("name = \"desk\"\n{raw} = 1")),
        ("name = \"desk\"", format!("name = \"desk\n{raw}\"")),
        ("[migrations]", format!("ensure = [\"{url}\"]\n[migrations]")),
        ("[migrations]", format!("ensure_sql = \"{key}\"\n[migrations]")),
        ("[migrations]", format!("ignore = [\"{{{key}\"]\n[migrations]")),
        ("mode = \"database\"", format!("mode = \"{key}\"")),
        (
            "mode = \"database\"",
            format!("mode = \"database\"\n\"{url}\" = 1"),
        ),
    ] {
        let scene = Scene::new(Server::Sqlite);
        scene.desk.replace("tenantgate.toml", from, &to);
        for command in ["run", "check"] {
            let run = scene.run(&[command]);
            assert_ne!(run.code, Some(0), "{to}");
        }
    }
}

#[test]
fn in_an_env_file() {
    let url = marked_url();
    for text in [
        url.clone(),
        format!("DEV_DB_URL={url} {url}\n"),
        format!("A=1\n{url}=x\n"),
        format!("DEV_DB_URL='{url}\n"),
        format!("DEV_DB_URL=\"{url}\n"),
        format!("DEV_DB_URL={url}\nDEV_DB_URL={url}\n"),
        format!("DEV_DB_URL=${{{KEY}}}{url}\n"),
        format!("KEY={KEY} {KEY}\n"),
        format!("{KEY}\n"),
        format!("{}={KEY}\n", encoded(KEY)),
        format!("set DEV_DB_URL {url}\n"),
    ] {
        let mut scene = Scene::new(Server::Sqlite);
        scene.desk.remove_env("DEV_DB_URL");
        scene.desk.write("pasted.env", &text);
        for command in ["run", "check", "url"] {
            scene.run(&[command, "--env-file", "pasted.env"]);
        }
    }
}

#[test]
fn in_an_argument() {
    let scene = Scene::new(Server::Sqlite);
    let url = marked_url();
    let keywords = format!("host=db.example.com password={PASSWORD}");
    for arguments in [
        &["url", &url] as &[&str],
        &["url", &keywords],
        &["url", PASSWORD],
        &[&url],
        &["run", &url],
        &["run", "--environment", &url],
        &["run", "--environment", PASSWORD],
        &["run", "--format", &url],
        &["run", "--config", &url],
        &["run", "--env-file", &url],
        &["run", "--evidence", &url],
        &["report", &url],
        &["migrate", "--tenant", &url],
        &["migrate", "--tenant", PASSWORD],
        &["migrate", "--scope", &url],
    ] {
        scene.run(arguments).assert_code(2);
    }
}
