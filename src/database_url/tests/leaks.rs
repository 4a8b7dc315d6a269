use super::*;

const MARK: &str = "S3cr3tM4rk";

/// No piece of the mark that somebody could use.
#[track_caller]
fn clean(said: &str, of: &str) {
    let characters: Vec<char> = MARK.chars().collect();
    for piece in characters.windows(5) {
        let piece: String = piece.iter().collect::<String>().to_lowercase();
        assert!(!said.to_lowercase().contains(&piece), "{of:?} is told: {said}");
    }
}

#[track_caller]
fn tell(shape: &str, password: &str) {
    let text = &shape.replace("{}", password);
    // Without a host behind it, `@h/word` is no password but a host and a database.
    let is_password = shape.contains("{}@h") || shape.contains("password={}");
    match parse(text) {
        Ok(_) if !is_password => {}
        Ok(url) => {
            clean(&format!("{url:?} {:?}", url.notes), text);
            clean(&format!("{:?}", explain(&url)), text);
            let github = export(&url, ExportFormat::Github);
            clean(&format!("{github:?} {:?}", url.libpq_url()), text);
        }
        Err(problems) => clean(&format!("{problems:?}"), text),
    }
}

/// Everything that can stand raw in a password, in every place of it, in every shape of URL.
#[test]
fn no_message_tells_a_piece_of_the_password() {
    let raw = [
        "",
        "@",
        "#",
        "/",
        "?",
        "%",
        " ",
        ":",
        "&",
        "=",
        ",",
        ";",
        "+",
        "[",
        "]",
        "\\",
        "'",
        "\"",
        "<",
        ">",
        "^",
        "|",
        "{",
        "}",
        "`",
        "$",
        "*",
        "%zz",
        "%00",
        "%0A",
        "%ff",
        "\n",
        "\t",
        "\u{a0}",
        "\u{feff}",
        "ä",
        "://",
        "?a=",
        "&a=",
        "@h/",
        "@h:1/",
        "@h/d?",
        ":5432/",
        "@@",
        "//",
        "@[",
        "${",
        "${{",
        "[YOUR-PASSWORD]",
        "?sslmode=",
        "&host=",
    ];
    let shapes = [
        "postgresql://u:{}@h:5432/d",
        "postgres://u:{}@h1,h2/d?sslmode=require",
        "postgresql://u:{}@/d?host=/x",
        "postgresql://u:{}@[::1]:1/d",
        "postgresql://u:{}@h:99999/d",
        "postgresql://u:{}@h",
        "postgresql://u:{}@",
        "postgresql://u:{}",
        "postgresql://u:{}/d",
        "postgre://u:{}@h/d",
        "http://u:{}@h/d",
        "u:{}@h/d",
        "{}",
        "{}://u@h/d",
        "jdbc:postgresql://h/d?user=u&password={}",
        "postgresql://h/d?user=u&password={}",
        "postgresql://h/d?password={}&sslmode=x",
        "mysql://u:{}@h/d?ssl-mode=x",
        "mysql2://u:{}@h:0/d",
        "sqlite://u:{}@h/d",
        "DATABASE_URL=postgresql://u:{}@h/d",
        "psql 'postgresql://u:{}@h/d'",
        "export X=\"postgresql://u:{}@h/d",
        "\u{feff} postgresql://u:{}@h/d\n",
        "host=h password={}",
        "postgresql://user@server:{}@h/d",
        "PGPASSWORD={} psql postgresql://u@h/d",
        "postgresql:u:{}@h/d",
        "prisma://h/?api_key={}",
        "postgresql://u:{}@h/d?options=-c%20app.key%3D{}",
    ];
    for shape in shapes {
        for raw in raw {
            for at in [0, 4, 5, MARK.len()] {
                let password = format!("{}{raw}{}", &MARK[..at], &MARK[at..]);
                tell(shape, &password);
            }
            tell(shape, &format!("{raw}{MARK}{raw}x{raw}{MARK}"));
        }
    }
}

#[test]
fn debug_of_all_there_is_shows_no_password() {
    let url = good("postgresql://u:S3cr3tM4rk@h/d");
    for format in [ExportFormat::Dotenv, ExportFormat::Json, ExportFormat::Github] {
        clean(&format!("{:?}", export(&url, format)), "an export");
    }
    clean(&format!("{url:#?}"), "the URL");
}
