//! Finds a secret in any of its forms, or a piece of one.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter pieces are no longer telling.
const PIECE: usize = 6;
/// As much in base64: less of it may be four digits, and those are in every time.
const BASE64_PIECE: usize = 8;

/// All pieces of all forms of the secrets, each with the secret's name.
#[derive(Default)]
pub struct Detector {
    pieces: HashMap<Vec<u8>, String>,
}

impl Detector {
    /// Adds a secret as it is meant, not as a URL has it.
    pub fn add(&mut self, name: &str, secret: &str) {
        let escaped = format!("{secret:?}");
        let json = serde_json::to_string(secret).unwrap();
        let html = secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        for form in [
            secret.to_owned(),
            encoded(secret),
            encoded(secret).to_lowercase(),
            encoded(&encoded(secret)),
            escaped.trim_matches('"').to_owned(),
            json.trim_matches('"').to_owned(),
            html,
            secret.to_lowercase(),
            secret.to_uppercase(),
            secret.chars().rev().collect(),
        ] {
            self.add_form(name, &form, PIECE);
        }
        for form in [STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)] {
            self.add_form(name, &form, BASE64_PIECE);
        }
    }

    fn add_form(&mut self, name: &str, form: &str, piece: usize) {
        for piece in form.as_bytes().windows(piece) {
            // Percent signs and digits alone are in every hint about encoding.
            if piece.iter().filter(|byte| byte.is_ascii_alphabetic()).count() >= 2 {
                self.pieces.insert(piece.to_vec(), name.to_owned());
            }
        }
    }

    /// The secret and the piece of it that a text tells, also where it is base64.
    pub fn find(&self, content: &[u8]) -> Option<String> {
        self.find_plain(content).or_else(|| {
            let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte);
            let runs = content
                .split(|byte| !is_base64(byte))
                .filter(|run| run.len() >= 16);
            runs.filter_map(|run| {
                let trimmed: Vec<u8> = run.iter().copied().filter(|byte| *byte != b'=').collect();
                STANDARD_NO_PAD
                    .decode(&trimmed)
                    .or_else(|_| URL_SAFE_NO_PAD.decode(&trimmed))
                    .ok()
            })
            .find_map(|decoded| self.find_plain(&decoded))
        })
    }

    fn find_plain(&self, content: &[u8]) -> Option<String> {
        let mut windows = content.windows(PIECE).chain(content.windows(BASE64_PIECE));
        windows.find_map(|window| {
            let name = self.pieces.get(window)?;
            Some(format!("{name}: {:?}", String::from_utf8_lossy(window)))
        })
    }
}

/// Everything but letters, digits and the four marks of RFC 3986 is escaped.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[test]
fn it_fires_on_every_form_and_piece() {
    let secret = "Kz7#qVm@9Zt/Lw\"2:Rp?x&Gd";
    let mut detector = Detector::default();
    detector.add("PASSWORD", secret);
    detector.add("TOKEN", "ghs_ab56862cd");
    for leak in [
        secret.to_owned(),
        format!("postgres://u:{}@h/d", encoded(secret)),
        format!("{secret:?}"),
        serde_json::json!({ "a": secret }).to_string(),
        format!("host {} not found", &secret[11..18]),
        format!(
            "payload {}",
            STANDARD.encode(format!("a longer text around {secret} it"))
        ),
        secret.to_lowercase(),
    ] {
        let found = detector.find(leak.as_bytes());
        assert!(found.is_some_and(|it| it.starts_with("PASSWORD: ")), "{leak}");
    }
    for harmless in [
        "",
        "%40 for `@`, %2F for `/`",
        "Kz7#q",
        "*** is not shown",
        "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=",
        // `5686` of a time in base64, which a token of digits has too.
        "state NTY4NjE3",
    ] {
        assert_eq!(detector.find(harmless.as_bytes()), None, "{harmless}");
    }
}
