//! Which engine a project uses: from what names it most plainly to what only hints at it.

use regex::Regex;

use crate::database_url::EngineKind;

use super::Guess;
use super::tree::{Tree, file_name, is_example};

/// Words in lists of dependencies.
const PACKAGES: &[(&str, EngineKind)] = &[
    ("django-tenants", EngineKind::Postgres),
    ("psycopg", EngineKind::Postgres),
    ("psycopg2", EngineKind::Postgres),
    ("psycopg2-binary", EngineKind::Postgres),
    ("asyncpg", EngineKind::Postgres),
    ("pg", EngineKind::Postgres),
    ("postgres", EngineKind::Postgres),
    ("@supabase/supabase-js", EngineKind::Postgres),
    ("github.com/lib/pq", EngineKind::Postgres),
    ("github.com/jackc/pgx", EngineKind::Postgres),
    ("mysqlclient", EngineKind::Mysql),
    ("pymysql", EngineKind::Mysql),
    ("aiomysql", EngineKind::Mysql),
    ("mysql2", EngineKind::Mysql),
    ("mariadb", EngineKind::Mysql),
    ("github.com/go-sql-driver/mysql", EngineKind::Mysql),
    ("better-sqlite3", EngineKind::Sqlite),
    ("sqlite3", EngineKind::Sqlite),
    ("aiosqlite", EngineKind::Sqlite),
];

/// None where nothing tells.
pub(super) fn guess(tree: &Tree, workflows: &[(String, String)]) -> Option<Guess<EngineKind>> {
    from_examples(tree)
        .or_else(|| from_compose(tree))
        .or_else(|| from_prisma(tree))
        .or_else(|| from_supabase(tree))
        .or_else(|| from_services(workflows))
        .or_else(|| from_packages(tree))
}

fn found(value: EngineKind, because: String) -> Guess<EngineKind> {
    Guess {
        value,
        because: Some(because),
    }
}

/// Only the scheme of a URL is taken, never what follows it.
fn from_examples(tree: &Tree) -> Option<Guess<EngineKind>> {
    let files = tree.files.iter().filter(|file| is_example(file));
    files.into_iter().find_map(|file| {
        let text = tree.text(file)?;
        let schemes = text.lines().filter_map(|line| {
            let (_, value) = line.trim_start_matches("export ").split_once('=')?;
            let value = value.trim().trim_start_matches(['"', '\'']);
            Some(value.split(':').next()?.to_ascii_lowercase())
        });
        schemes.into_iter().find_map(|scheme| {
            // `postgresql+asyncpg`: the driver says nothing more.
            let scheme = scheme.split('+').next()?;
            let engine = engine_of(scheme)?;
            Some(found(engine, format!("{file}: a URL of `{scheme}`")))
        })
    })
}

fn engine_of(word: &str) -> Option<EngineKind> {
    match word {
        "postgres" | "postgresql" | "postgis" | "pgsql" => Some(EngineKind::Postgres),
        "mysql" | "mysql2" | "mariadb" => Some(EngineKind::Mysql),
        "sqlite" | "sqlite3" => Some(EngineKind::Sqlite),
        _ => None,
    }
}

fn from_compose(tree: &Tree) -> Option<Guess<EngineKind>> {
    let is_compose = |file: &&String| {
        let name = file_name(file);
        (name.starts_with("docker-compose") || name.starts_with("compose"))
            && (name.ends_with(".yml") || name.ends_with(".yaml"))
    };
    tree.files.iter().filter(is_compose).find_map(|file| {
        let (engine, image) = image_in(&tree.text(file)?)?;
        Some(found(engine, format!("{file}: image {image}")))
    })
}

fn from_services(workflows: &[(String, String)]) -> Option<Guess<EngineKind>> {
    workflows.iter().find_map(|(file, text)| {
        let (engine, image) = image_in(text)?;
        Some(found(engine, format!("{file}: image {image}")))
    })
}

/// The first database image of a YAML file.
fn image_in(text: &str) -> Option<(EngineKind, String)> {
    text.lines().find_map(|line| {
        let image = line
            .trim()
            .strip_prefix("image:")?
            .trim()
            .trim_matches(['"', '\'']);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
        if !image.chars().all(plain) {
            return None;
        }
        let name = image.rsplit('/').next()?.split([':', '@']).next()?;
        let engine = match name {
            "postgres" | "postgresql" | "postgis" | "timescaledb" | "timescaledb-ha" | "pgvector" => {
                EngineKind::Postgres
            }
            "mysql" | "mysql-server" | "mariadb" | "percona-server" => EngineKind::Mysql,
            _ => return None,
        };
        Some((engine, image.to_owned()))
    })
}

fn from_prisma(tree: &Tree) -> Option<Guess<EngineKind>> {
    tree.named("schema.prisma").find_map(|file| {
        let text = tree.text(file)?;
        // The generator has a provider, too.
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            let provider = value.trim().trim_matches('"');
            let engine = engine_of(provider).filter(|_| key.trim() == "provider")?;
            Some(found(engine, format!("{file}: provider {provider}")))
        })
    })
}

fn from_supabase(tree: &Tree) -> Option<Guess<EngineKind>> {
    let file = tree
        .files
        .iter()
        .find(|file| file.ends_with("supabase/config.toml"))?;
    Some(found(EngineKind::Postgres, format!("{file}: Supabase")))
}

fn from_packages(tree: &Tree) -> Option<Guess<EngineKind>> {
    let lists = tree.files.iter().filter(|file| {
        let name = file_name(file);
        let known = [
            "package.json",
            "pyproject.toml",
            "Pipfile",
            "go.mod",
            "Gemfile",
            "composer.json",
        ];
        known.contains(&name) || (name.starts_with("requirements") && name.ends_with(".txt"))
    });
    lists.into_iter().find_map(|file| {
        let text = tree.text(file)?;
        PACKAGES.iter().find_map(|(package, engine)| {
            names_package(&text, package).then(|| found(*engine, format!("{file}: {package}")))
        })
    })
}

/// The package as a whole word that is followed by a version, a quote or the line's end.
fn names_package(text: &str, package: &str) -> bool {
    let pattern = format!(
        r#"(?mi)(^|["'\s]){}(\[[\w,-]+\])?(["'\s=<>~!;,/]|$)"#,
        regex::escape(package)
    );
    Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(text))
}
