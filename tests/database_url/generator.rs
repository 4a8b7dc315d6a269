//! URLs of valid parts, part of them with something hostile in a random place.

use fastrand::Rng;

pub(super) struct Generator {
    rng: Rng,
}

const SCHEMES: &[&str] = &[
    "postgresql",
    "postgresql",
    "postgresql",
    "postgres",
    "postgres",
    "pgsql",
    "psql",
    "postgis",
    "postgresql+psycopg2",
    "postgresql+asyncpg",
];
const USERS: &[&str] = &[
    "app",
    "u",
    "postgres",
    "postgres.abcdefgh",
    "user%40server",
    "a%3Ab",
    "_x-y.z~",
    "%75ser",
    "ü",
    "",
    "a+b",
    "a,b",
    "a=b",
    "a&b",
    "a;b",
    "%2Fu",
    "u%20v",
];
const PASSWORD_PIECES: &[&str] = &[
    "a",
    "Z",
    "7",
    "secret",
    "%40",
    "%3a",
    "%2F",
    "%23",
    "%3F",
    "%25",
    "%20",
    "%2B",
    "%C3%A4",
    "%e2%82%ac",
    "%5B",
    "%5D",
    "%5c",
    "%27",
    "%22",
    "%2c",
    "%26",
    "%3D",
    "!",
    "$",
    "&",
    "'",
    "(",
    ")",
    "*",
    "+",
    ",",
    ";",
    "=",
    "-",
    ".",
    "_",
    "~",
    ":",
    "ä",
    "€",
    "^",
    "|",
    "\"",
    "<",
    ">",
    "{",
    "}",
    "`",
    "%7B",
    "🔑",
];
const HOSTS: &[&str] = &[
    "h",
    "localhost",
    "db.example.com",
    "127.0.0.1",
    "10.0.0.1",
    "[::1]",
    "[2001:db8::1]",
    "[::ffff:1.2.3.4]",
    "DB.Example",
    "a_b-c.d",
    "%2Fvar%2Frun%2Fpostgresql",
    "%2ftmp",
    "%2Fa%20b",
    "x-pooler.neon.tech",
    "h.",
];
const PORTS: &[&str] = &["", "", ":5432", ":1", ":65535", ":6543", ":6432", ":15432"];
const DATABASES: &[&str] = &[
    "d", "meats", "my%20db", "a%2Fb", "d+e", "d-e_f", "%64b", "ü", "d%3Fx", "d,e", "d:e", "d=e", "d&e",
    "a%40b", "D.E", "d;e",
];
const PARAMETERS: &[&str] = &[
    "sslmode=require",
    "sslmode=disable",
    "sslmode=verify-full",
    "connect_timeout=10",
    "application_name=gate",
    "application_name=a%20b%26c",
    "options=-csearch_path%3Dx",
    "options=-c%20role%3Dx",
    "keepalives=1",
    "schema=x",
    "currentSchema=a,b",
    "pgbouncer=true",
    "connection_limit=1",
    "ssl=true",
    "unknownthing=7",
    "sslrootcert=/ca.pem",
    "target_session_attrs=read-write",
    "client_encoding=utf8",
    "gssencmode=disable",
    "pool_timeout=3",
    "sslsni=1",
    "channel_binding=require",
    "statement_cache_size=0",
    "x-y=1",
    "search_path=a",
    "fallback_application_name=z",
];
const PLACE_PARAMETERS: &[&str] = &[
    "host=/var/run/postgresql",
    "host=h2",
    "host=h1,h2",
    "host=%2Ftmp",
    "host=::1",
    "host=/a%2Cb",
    "port=5433",
    "port=1,2",
    "port=",
    "host=",
    "user=u2",
    "user=a%40b",
    "password=p2",
    "password=p%2B%26",
    "password=",
    "dbname=d2",
    "dbname=a%20b",
    "user=a+b",
    "host=[::1]",
    "host=/cloudsql/p:r:i",
    "user=",
    "dbname=",
    "host=h1,",
    "port=1,",
];
/// Put anywhere, whole: what people forget to encode, and what parsers fall over.
const HOSTILE: &[&str] = &[
    "@",
    "/",
    "?",
    "#",
    "%",
    " ",
    ":",
    ",",
    "&",
    "=",
    "[",
    "]",
    "\\",
    "%zz",
    "%0",
    "%00",
    "%0A",
    "%7f",
    "%ff",
    "%C3",
    "+",
    "\t",
    "\n",
    "\r",
    "\u{0}",
    "\u{7f}",
    "\u{a0}",
    "\u{feff}",
    "::",
    "//",
    "@@",
    "%2C",
    "%40",
    "%2F",
    "%5B",
    "..",
    "/..",
    "%2e%2e",
    ":0",
    ":99999",
    ":abc",
    ":-1",
    ":+5",
    "[::1",
    "]:1",
    ";",
    "'",
    "\"",
    "${X}",
    "***",
    "?a",
    "&&",
    "?sslmode=x",
    "&sslmode=require&sslmode=disable",
    "&port=7",
    "&host=evil",
    "?host=evil",
    "&hostaddr=1.2.3.4",
    "&service=x",
    "%3A",
    "%2f",
    "%",
    "%25",
    "%2",
    "a=b=c",
    "&=x",
    "&user=x",
    "&dbname=x",
    "&p%6frt=1",
    "&requiressl=1",
    "#x",
    "🦀",
    "é",
];

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
        }
    }

    pub(super) fn url(&mut self) -> String {
        let mut text = if self.rng.u8(..10) == 0 {
            self.jdbc()
        } else {
            self.plain()
        };
        // Half of the URLs stay as they are.
        while self.rng.u8(..5) < 2 {
            self.mutate(&mut text);
        }
        text
    }

    fn plain(&mut self) -> String {
        let mut text = format!("{}://", self.pick(SCHEMES));
        if self.rng.u8(..12) > 0 {
            text.push_str(self.pick(USERS));
            if self.rng.u8(..8) > 0 {
                text.push(':');
                text.push_str(&self.password());
            }
            text.push('@');
        }
        let hosts = match self.rng.u8(..12) {
            0 => 0,
            1 | 2 => 2,
            3 => 3,
            _ => 1,
        };
        for index in 0..hosts {
            let comma = if index > 0 { "," } else { "" };
            text.push_str(&format!("{comma}{}{}", self.pick(HOSTS), self.pick(PORTS)));
        }
        if self.rng.u8(..20) > 0 {
            text.push('/');
            text.push_str(self.pick(DATABASES));
        }
        let mut query = self.query();
        // Without a host before the path, mostly one behind it.
        if hosts == 0 && self.rng.bool() {
            query.push("host=/var/run/postgresql");
        }
        if !query.is_empty() {
            text.push_str(&format!("?{}", query.join("&")));
        }
        text
    }

    fn jdbc(&mut self) -> String {
        let mut query = vec![
            format!("user={}", self.pick(USERS)),
            format!("password={}", self.password()),
        ];
        query.extend(self.query().into_iter().map(str::to_owned));
        let (host, port, database) = (self.pick(HOSTS), self.pick(PORTS), self.pick(DATABASES));
        format!("jdbc:postgresql://{host}{port}/{database}?{}", query.join("&"))
    }

    fn password(&mut self) -> String {
        let pieces = self.rng.usize(..9);
        (0..pieces).map(|_| self.pick(PASSWORD_PIECES)).collect()
    }

    fn query(&mut self) -> Vec<&'static str> {
        let count = self.rng.usize(..5).saturating_sub(2);
        let mut query: Vec<_> = (0..count).map(|_| self.pick(PARAMETERS)).collect();
        if self.rng.u8(..8) == 0 {
            query.push(self.pick(PLACE_PARAMETERS));
        }
        query
    }

    /// Inserts, removes, doubles or swaps.
    fn mutate(&mut self, text: &mut String) {
        let mut characters: Vec<char> = text.chars().collect();
        // The scheme stays mostly: behind a broken one there is nothing to disagree about.
        let from = if self.rng.u8(..10) > 0 {
            text.find("://").map_or(0, |at| at + 3)
        } else {
            0
        };
        let from = from.min(characters.len());
        let at = self.rng.usize(from..=characters.len());
        match self.rng.u8(..8) {
            0 if at < characters.len() => {
                characters.remove(at);
            }
            1 if at < characters.len() => characters.insert(at, characters[at]),
            2 if at + 1 < characters.len() => characters.swap(at, at + 1),
            3 => {
                let byte = char::from(self.rng.u8(1..128));
                characters.insert(at, byte);
            }
            _ => {
                let hostile = self.pick(HOSTILE).chars();
                characters.splice(at..at, hostile);
            }
        }
        *text = characters.into_iter().collect();
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.rng.usize(..from.len())]
    }
}
