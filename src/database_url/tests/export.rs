use std::process::Command;

use super::*;

const KEYS: [&str; 6] = [
    "DB_ENGINE",
    "DB_USER",
    "DB_PASSWORD",
    "DB_HOST",
    "DB_PORT",
    "DB_NAME",
];

const HOSTILE: &[&str] = &[
    "plain",
    "it's",
    "'",
    "''",
    "\\",
    "\\\\",
    "a\\",
    "\\'",
    "'\\",
    "a\\'b",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "\"",
    "a b",
    " a ",
    "#x",
    "a #x",
    "!x",
    "~",
    "*",
    "ä€",
    "=",
    "a\\n",
    "\\$x",
    "a'b\"c$d\\e f",
    "%40",
    "a;b",
    "a&b|c>d",
];

fn with_password(password: &str) -> DatabaseUrl {
    DatabaseUrl {
        password: Some(Secret::new(password)),
        ..good("postgresql://app:x@h1:1,h2:2/d")
    }
}

fn text(url: &DatabaseUrl, format: ExportFormat) -> String {
    match export(url, format).unwrap() {
        Exported::Text(text) => text.expose().to_owned(),
        Exported::Github(_) => panic!("text was expected"),
    }
}

fn github(url: &DatabaseUrl) -> (Vec<String>, String) {
    match export(url, ExportFormat::Github).unwrap() {
        Exported::Github(github) => (
            github.masks.iter().map(|mask| mask.expose().to_owned()).collect(),
            github.file.expose().to_owned(),
        ),
        Exported::Text(_) => panic!("masks were expected"),
    }
}

#[test]
fn json_is_one_object_with_six_strings() {
    let url = good("postgres://app:p%40%22@h1:1,h2:2/my%20db?sslmode=require");
    let json: serde_json::Value = serde_json::from_str(&text(&url, ExportFormat::Json)).unwrap();
    let expected = serde_json::json!({
        "DB_ENGINE": "django.db.backends.postgresql", "DB_USER": "app", "DB_PASSWORD": "p@\"",
        "DB_HOST": "h1,h2", "DB_PORT": "1,2", "DB_NAME": "my db",
    });
    assert_eq!(json, expected);
    let engine = |url: &str| {
        let json: serde_json::Value = serde_json::from_str(&text(&good(url), ExportFormat::Json)).unwrap();
        (
            json["DB_ENGINE"].as_str().unwrap().to_owned(),
            json["DB_NAME"].as_str().unwrap().to_owned(),
            json["DB_PORT"].clone(),
        )
    };
    assert_eq!(
        engine("mysql://u:p@h/d"),
        ("django.db.backends.mysql".into(), "d".into(), "3306".into())
    );
    assert_eq!(
        engine("sqlite:///x.db"),
        ("django.db.backends.sqlite3".into(), "/x.db".into(), "".into())
    );
}

#[test]
fn dotenvy_and_a_shell_read_the_same_values_back() {
    let folder = tempfile::tempdir().unwrap();
    for password in HOSTILE.iter().chain(&["two\nlines", "a\n\n'b\\\n#c"]) {
        let env = text(&with_password(password), ExportFormat::Dotenv);
        let read: Vec<(String, String)> = dotenvy::Iter::new(env.as_bytes())
            .map(|item| item.unwrap())
            .collect();
        let keys: Vec<&str> = read.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, KEYS);
        assert_eq!(read[2].1, *password, "dotenvy, {env}");

        std::fs::write(folder.path().join("env"), &env).unwrap();
        let script = "set -a; . ./env; exec printenv -0 DB_PASSWORD DB_HOST DB_PORT";
        let shell = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            shell.status.success(),
            "{}",
            String::from_utf8_lossy(&shell.stderr)
        );
        let values = String::from_utf8(shell.stdout).unwrap();
        assert_eq!(values, format!("{password}\0h1,h2\01,2\0"), "sh, {env}");
    }
    assert!(export(&with_password("a\0b"), ExportFormat::Dotenv).is_err());
    assert!(export(&with_password("a\rb"), ExportFormat::Dotenv).is_err());
}

/// The runner's own rules: the first of `=` and `<<` decides, a heredoc ends at the delimiter.
fn read_as_runner(file: &str) -> Vec<(String, String)> {
    let mut lines = file.lines();
    let mut read = Vec::new();
    while let Some(line) = lines.next() {
        let (key, delimiter) = line.split_once("<<").unwrap();
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        read.push((key.to_owned(), value.join("\n")));
    }
    read
}

#[test]
fn the_runner_reads_the_same_values_back() {
    for password in HOSTILE
        .iter()
        .chain(&["two\nlines", "X<<EOF\nA=b\nEOF", "a=b<<c"])
    {
        let (_, file) = github(&with_password(password));
        let read = read_as_runner(&file);
        let keys: Vec<&str> = read.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, KEYS);
        assert_eq!(read[2].1, *password);
    }
    let (one, other) = (github(&with_password("x")).1, github(&with_password("x")).1);
    assert_ne!(one, other, "the delimiter is drawn anew");
    assert!(export(&with_password("a\0b"), ExportFormat::Github).is_err());
}

#[test]
fn the_password_is_masked_decoded_and_as_written() {
    let (masks, _) = github(&good("postgresql://app:p%40ss%25word@h/d"));
    assert_eq!(
        masks,
        ["::add-mask::p@ss%25word", "::add-mask::p%2540ss%2525word"]
    );
    let (masks, _) = github(&with_password("first\nsecond%\nx"));
    assert_eq!(
        masks,
        [
            "::add-mask::first%0Asecond%25%0Ax",
            "::add-mask::first",
            "::add-mask::second%25"
        ]
    );
}

#[test]
fn short_and_common_words_are_not_masked() {
    for text in [
        "postgresql://app:app@h/d",
        "postgresql://postgres:postgres@h/d",
        "postgresql://application@h/d",
    ] {
        assert_eq!(github(&good(text)).0, [""; 0], "{text}");
    }
}
