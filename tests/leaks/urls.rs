//! URLs that cannot be read, and odd ones that can: no part of a password is in what is said of them.

use super::detector::encoded;
use super::scene::{PASSWORD, Scene};
use crate::harness::Server;

fn malformed() -> Vec<String> {
    let (raw, enc) = (PASSWORD, encoded(PASSWORD));
    let twice = encoded(&enc);
    vec![
        format!("postgres://u:{raw}@h/d"),
        format!("mysql://u:{raw}@h:3306/d"),
        format!("postgres://u:{enc}@h:99999/d"),
        format!("postgres://u:{enc}@h:port/d"),
        format!("postgres://u:{enc}@/d"),
        format!("postgres://u:{enc}@h/"),
        format!("postgres://u:{enc}@h"),
        format!("postgres//u:{enc}@h/d"),
        format!("postgres:/u:{enc}@h/d"),
        format!("postgres:u:{enc}@h/d"),
        format!("postgress://u:{enc}@h/d"),
        format!("://u:{enc}@h/d"),
        format!("u:{enc}@h/d"),
        format!("\"postgres://u:{enc}@h/d\""),
        format!("'postgres://u:{raw}@h/d'"),
        format!("DATABASE_URL=postgres://u:{enc}@h/d"),
        format!("export DATABASE_URL='postgres://u:{enc}@h/d'"),
        format!("psql postgres://u:{enc}@h/d"),
        format!("host=h user=u password={raw} dbname=d"),
        format!("host=h user=u password='{raw}' dbname=d"),
        format!("jdbc:postgresql://h/d?user=u&password={enc}"),
        format!("jdbc:postgresql://h/d?user=u&password={raw}"),
        format!("jdbc:mysql://u:{enc}@h/d"),
        format!("postgres://h/d?password={enc}"),
        format!("postgres://u:{enc}@h/d?password={enc}"),
        format!("postgres://u:{enc}@h/d?sslmode=sometimes"),
        format!("postgres://u:{enc}@h/d?sslmode={enc}"),
        format!("postgres://u:{enc}@h/d?sslmode=require&sslmode=disable"),
        format!("postgres://u:{enc}@h/d?{enc}={enc}"),
        format!("postgres://u:{enc}@h/d?unknown={enc}"),
        format!("postgres://u:{enc}@h/d?options=-c%20x%3D{enc}"),
        format!("postgres://u:{enc}@h/d?connect_timeout={enc}"),
        format!("postgres://u:{enc}@h/d/e"),
        format!("postgres://u:{enc}@h/d#{enc}"),
        format!("postgres://u:{enc}%zz@h/d"),
        format!("postgres://u:{enc}%00@h/d"),
        format!("postgres://u:{enc}%FF@h/d"),
        format!("postgres://u:{twice}@h:x/d"),
        format!("postgres://u:{enc}@h/d\npostgres://u:{enc}@h/e"),
        format!("postgres://u:{enc}@h d/d"),
        format!("postgres://u:{enc}@[::1/d"),
        format!("postgres://u:{enc}@[{enc}]/d"),
        format!("postgres://${{USER}}:{enc}@h/d"),
        format!("postgres://u:<{raw}>@h/d"),
        format!("postgres://u:{enc}@h1,h2:1:2/d"),
        format!("postgres://u@h:{enc}/d"),
        format!("postgres://u:p@{enc}@h/d"),
        format!("postgres://u:{enc}@{enc}:x/d"),
        format!("sqlite://u:{enc}@h/d"),
        format!("https://u:{enc}@h/d"),
        format!("mongodb://u:{enc}@h/d"),
        format!("sqlserver://h;user=u;password={raw}"),
        format!("Server=h;Uid=u;Pwd={raw};Database=d"),
        format!("\u{feff}postgres://u:{enc}@h/d\u{200b}"),
        format!("postgres://u:{enc}é@h:x/d"),
        raw.to_owned(),
        enc,
    ]
}

#[test]
fn none_is_quoted() {
    let mut scene = Scene::new(Server::Sqlite);
    for url in malformed() {
        scene.run_with_input(&["url"], &url);
        scene.desk.env("DEV_DB_URL", url);
        scene.run(&["check"]);
    }
    let mut scene = Scene::new(Server::Postgres);
    for url in malformed() {
        // Not one of them is a server: what is understood ends at a name that does not exist.
        let url = url.replace("@h", "@h.invalid");
        scene.desk.env("DEV_DB_URL", url);
        let run = scene.run(&["plan"]);
        assert_ne!(run.code, Some(0));
    }
}
