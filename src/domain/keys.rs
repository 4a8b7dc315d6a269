//! The keys of evidence, as one line each: `tenantgate-public-key:<id>:<base64url>` in the config and
//! `tenantgate-signing-key:<id>:<base64url>` in a secret. The name and the id are there so that a key
//! in the wrong place, cut off or mistyped is told apart from one that simply signs something else.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::EnvironmentName;

const PUBLIC: &str = "tenantgate-public-key:";
const SIGNING: &str = "tenantgate-signing-key:";

/// An ed25519 seed and an ed25519 public key have the same length (RFC 8032, section 5.1.5).
const LENGTH: usize = 32;

/// Sixteen hexadecimal digits of the public key's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    fn of(public: &[u8]) -> Self {
        Self(hex(&Sha256::digest(public)[..8]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not the key that it should be. It carries no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("is empty")]
    Empty,
    #[error("has quotes around it")]
    Quoted,
    #[error("is more than one line")]
    Lines,
    #[error("holds a SIGNING key where a public one belongs")]
    SigningAsPublic,
    #[error("holds a public key where the signing key belongs")]
    PublicAsSigning,
    #[error("holds a key in PEM's form")]
    Pem,
    #[error("is no key of tenantgate's: it does not begin with `{0}`")]
    Unknown(&'static str),
    #[error("is cut off: the end of the key is missing")]
    Truncated,
    #[error("is damaged: the key does not fit its own id")]
    Damaged,
}

impl KeyError {
    pub fn hint(self) -> &'static str {
        match self {
            Self::Empty | Self::Pem | Self::Unknown(_) => {
                "make a pair with `tenantgate keygen`: the signing key is one line for a secret, the public key one \
                 for the config"
            }
            Self::Quoted => "leave the quotes out: the value is the line as `tenantgate keygen` prints it",
            Self::Lines => "one key is one line; several public keys are several texts of the list",
            Self::SigningAsPublic => {
                "whoever can read this file can now sign evidence: take it out, make a new pair with \
                 `tenantgate keygen`, and put the line that begins with `tenantgate-public-key:` here"
            }
            Self::PublicAsSigning => {
                "the secret is the line that begins with `tenantgate-signing-key:`; where it is lost, make a new pair \
                 with `tenantgate keygen`"
            }
            Self::Truncated | Self::Damaged => {
                "copy the whole line again, as `tenantgate keygen` printed it; where it is lost, make a new pair"
            }
        }
    }
}

/// Checks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub id: KeyId,
    bytes: Vec<u8>,
}

impl PublicKey {
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (id, bytes) = parse(text, PUBLIC)?;
        let key = Self {
            id: KeyId::of(&bytes),
            bytes,
        };
        if key.id.0 == id {
            Ok(key)
        } else {
            Err(KeyError::Damaged)
        }
    }

    /// The line for the config.
    pub fn to_line(&self) -> String {
        format!("{PUBLIC}{}:{}", self.id, URL_SAFE_NO_PAD.encode(&self.bytes))
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes)
            .verify(message, signature)
            .is_ok()
    }
}

/// Signs. Its `Debug` is the public id.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub public: PublicKey,
    seed: [u8; LENGTH],
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ***)", self.public.id)
    }
}

impl SigningKey {
    /// A new pair; none where the system gives no random numbers.
    pub fn generate() -> Option<Self> {
        let mut seed = [0; LENGTH];
        SystemRandom::new().fill(&mut seed).ok()?;
        Self::of(seed)
    }

    fn of(seed: [u8; LENGTH]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let bytes = pair.public_key().as_ref().to_vec();
        let public = PublicKey {
            id: KeyId::of(&bytes),
            bytes,
        };
        Some(Self { public, seed })
    }

    /// White space around the line does no harm: secrets are often piped in with a newline.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (id, bytes) = parse(text.trim(), SIGNING)?;
        let seed = bytes.try_into().map_err(|_| KeyError::Damaged)?;
        let key = Self::of(seed).ok_or(KeyError::Damaged)?;
        if key.public.id.0 == id {
            Ok(key)
        } else {
            Err(KeyError::Damaged)
        }
    }

    /// The line for the secret. Every call is a place where a leak can start.
    pub fn expose_line(&self) -> String {
        format!(
            "{SIGNING}{}:{}",
            self.public.id,
            URL_SAFE_NO_PAD.encode(self.seed)
        )
    }

    /// The secret part in every form in which it could be written. The line's beginning is public, and
    /// would star out words of ours.
    pub fn secret_forms(&self) -> [String; 5] {
        let hexadecimal = hex(&self.seed);
        [
            URL_SAFE_NO_PAD.encode(self.seed),
            URL_SAFE.encode(self.seed),
            STANDARD.encode(self.seed),
            hexadecimal.to_ascii_uppercase(),
            hexadecimal,
        ]
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        Ed25519KeyPair::from_seed_unchecked(&self.seed)
            .map(|pair| pair.sign(message).as_ref().to_vec())
            .expect("a seed of 32 bytes is a key: it was one when it was parsed")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id as it is written, and the key's bytes.
fn parse(text: &str, prefix: &'static str) -> Result<(String, Vec<u8>), KeyError> {
    if text.trim().is_empty() {
        return Err(KeyError::Empty);
    }
    if text.contains("-----BEGIN") {
        return Err(KeyError::Pem);
    }
    let bare = text.trim_matches(['"', '\'', '`', ' ']);
    match (prefix, bare) {
        (PUBLIC, bare) if bare.starts_with(SIGNING) => return Err(KeyError::SigningAsPublic),
        (SIGNING, bare) if bare.starts_with(PUBLIC) => return Err(KeyError::PublicAsSigning),
        _ => {}
    }
    if text.starts_with(['"', '\'', '`']) {
        return Err(KeyError::Quoted);
    }
    if text.contains(['\n', '\r']) {
        return Err(KeyError::Lines);
    }
    let rest = text.strip_prefix(prefix).ok_or(KeyError::Unknown(prefix))?;
    let (id, encoded) = rest.split_once(':').ok_or(KeyError::Truncated)?;
    // Of 32 bytes, 43 characters.
    if encoded.len() < (LENGTH * 4).div_ceil(3) {
        return Err(KeyError::Truncated);
    }
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| KeyError::Damaged)?;
    if bytes.len() != LENGTH {
        return Err(KeyError::Damaged);
    }
    Ok((id.to_owned(), bytes))
}

/// Which keys may vouch for which environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing {
    /// Of the environments that have none of their own.
    pub general: Vec<PublicKey>,
    pub own: BTreeMap<EnvironmentName, Vec<PublicKey>>,
}

impl KeyRing {
    /// Empty: signatures are not asked for.
    pub fn of(&self, environment: &EnvironmentName) -> &[PublicKey] {
        self.own.get(environment).unwrap_or(&self.general)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let key = SigningKey::generate().expect("random numbers");
        (key.expose_line(), key.public.to_line())
    }

    #[test]
    fn a_pair_comes_back_from_its_lines_and_fits() {
        let (signing, public) = pair();
        let (signing, public) = (
            SigningKey::parse(&format!("{signing}\n")),
            PublicKey::parse(&public),
        );
        let (signing, public) = (signing.expect("a key"), public.expect("a key"));
        assert_eq!(signing.public, public);
        let signature = signing.sign(b"text");
        assert!(public.verifies(b"text", &signature));
        assert!(!public.verifies(b"texT", &signature));
        assert!(!format!("{signing:?}").contains(&signing.secret_forms()[0]));
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn a_published_key_signs_as_published() {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let bytes: Vec<u8> = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&seed[at..at + 2], 16).expect("hex"))
            .collect();
        let key = SigningKey::of(bytes.try_into().expect("32 bytes")).expect("a key");
        assert_eq!(
            hex(&key.public.bytes),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(hex(&key.sign(&[0x72])), signature);
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let (signing, public) = pair();
        let other = pair().1;
        let wrong_id = format!("{}{}", &public[..39], &other[39..]);
        for (text, why) in [
            (String::new(), KeyError::Empty),
            (signing.clone(), KeyError::SigningAsPublic),
            (format!("\"{signing}\""), KeyError::SigningAsPublic),
            (format!("\"{public}\""), KeyError::Quoted),
            (public[..60].to_owned(), KeyError::Truncated),
            (format!("{public}x"), KeyError::Damaged),
            (wrong_id, KeyError::Damaged),
            (format!("{public}\n{other}"), KeyError::Lines),
            ("-----BEGIN PUBLIC KEY-----".to_owned(), KeyError::Pem),
            ("ssh-ed25519 AAAA".to_owned(), KeyError::Unknown(PUBLIC)),
        ] {
            let error = PublicKey::parse(&text).expect_err("refused");
            assert_eq!(error, why);
            assert!(text.is_empty() || !error.to_string().contains(&text));
        }
        for (text, why) in [
            (public, KeyError::PublicAsSigning),
            (signing[..50].to_owned(), KeyError::Truncated),
            (format!("'{signing}'"), KeyError::Quoted),
            ("hunter2hunter2".to_owned(), KeyError::Unknown(SIGNING)),
        ] {
            assert_eq!(SigningKey::parse(&text).expect_err("refused"), why);
        }
    }
}
