//! The DSSE envelope around a statement, and the signatures on it.
//!
//! <https://github.com/secure-systems-lab/dsse/blob/master/envelope.md>,
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use crate::domain::{PublicKey, SigningKey};

use super::Rejection;
use super::rejection::shown;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    /// A hint only: whoever writes the envelope writes it.
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

/// Who vouches for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    No,
    /// Signed, as it says by this key, and there is no public key here to check that with.
    Unchecked(String),
    /// The signature is good; by the id of one of the configured keys.
    By(String),
}

impl Envelope {
    pub fn seal(payload: &[u8], key: Option<&SigningKey>) -> Self {
        let signature = |key: &SigningKey| Signature {
            keyid: Some(key.public.id.to_string()),
            sig: STANDARD.encode(key.sign(&pre_authentication(PAYLOAD_TYPE, payload))),
        };
        Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: key.map(signature).into_iter().collect(),
        }
    }

    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let envelope: Self = serde_json::from_str(text).map_err(|_| Rejection::Envelope)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(Rejection::PayloadType);
        }
        Ok(envelope)
    }

    pub fn open(&self) -> Result<Vec<u8>, Rejection> {
        decode(&self.payload).ok_or(Rejection::Base64)
    }

    /// Where there are keys, one of them must have signed.
    pub fn verify(&self, payload: &[u8], keys: &[PublicKey]) -> Result<Signed, Rejection> {
        let named = |it: &Signature| it.keyid.as_deref().map_or_else(|| "?".to_owned(), shown);
        let Some(first) = self.signatures.first() else {
            let demanded = !keys.is_empty();
            return if demanded {
                Err(Rejection::Unsigned)
            } else {
                Ok(Signed::No)
            };
        };
        if keys.is_empty() {
            return Ok(Signed::Unchecked(named(first)));
        }
        let message = pre_authentication(&self.payload_type, payload);
        for signature in &self.signatures {
            let Some(bytes) = decode(&signature.sig) else {
                continue;
            };
            if let Some(key) = keys.iter().find(|key| key.verifies(&message, &bytes)) {
                return Ok(Signed::By(key.id.to_string()));
            }
        }
        let known = |it: &&Signature| {
            keys.iter()
                .any(|key| it.keyid.as_deref() == Some(key.id.as_str()))
        };
        Err(match self.signatures.iter().find(known) {
            Some(signature) => Rejection::Altered(named(signature)),
            None => Rejection::UnknownKey(named(first)),
        })
    }

    pub fn holds_the_same_as(&self, other: &Self) -> bool {
        self.payload == other.payload
    }

    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// What is signed: type and content with their lengths, so that neither can pass for the other.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Both alphabets are allowed.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The protocol's own example.
    #[test]
    fn type_and_content_are_bound_with_their_lengths() {
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_signature_holds_for_one_content_and_one_key() {
        let key = SigningKey::generate().expect("a key");
        let other = SigningKey::generate().expect("a key");
        let keys = [other.public.clone(), key.public.clone()];
        let id = key.public.id.to_string();
        let envelope = Envelope::seal(b"{}", Some(&key));
        let again = Envelope::parse(&envelope.to_text().expect("written")).expect("read");
        assert_eq!(again, envelope);
        assert_eq!(again.verify(b"{}", &keys), Ok(Signed::By(id.clone())));
        assert_eq!(again.verify(b"{}", &[]), Ok(Signed::Unchecked(id.clone())));
        assert_eq!(again.verify(b"[]", &keys), Err(Rejection::Altered(id.clone())));
        assert_eq!(again.verify(b"{}", &keys[..1]), Err(Rejection::UnknownKey(id)));
        let unsigned = Envelope::seal(b"{}", None);
        assert_eq!(unsigned.verify(b"{}", &[]), Ok(Signed::No));
        assert_eq!(unsigned.verify(b"{}", &keys), Err(Rejection::Unsigned));
    }

    #[test]
    fn one_good_signature_of_several_is_enough_and_a_key_id_proves_nothing() {
        let key = SigningKey::generate().expect("a key");
        let mut envelope = Envelope::seal(b"{}", Some(&key));
        let good = envelope.signatures[0].clone();
        let forged = Signature {
            sig: STANDARD.encode([7; 64]),
            ..good.clone()
        };
        let keys = [key.public.clone()];
        envelope.signatures = vec![forged.clone(), good];
        assert!(envelope.verify(b"{}", &keys).is_ok());
        envelope.signatures = vec![forged];
        assert!(matches!(
            envelope.verify(b"{}", &keys),
            Err(Rejection::Altered(_))
        ));
    }
}
