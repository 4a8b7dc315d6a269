//! Evidence in a folder: for a laptop, and for artifacts between jobs.
//!
//! Whoever can write into the folder can also remove a record from it. So without public keys a folder
//! proves nothing against its own writers, and what cannot be read there is taken for an accident.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::domain::{EnvironmentName, KeyRing, SigningKey, shown_path};

use super::{Envelope, Wanted};
use super::{
    Evidence, EvidenceStore, Opened, Record, Records, Rejected, Rejection, State, StoreError, Unopened,
};

/// One file a run: `<folder>/<environment>/<time>-<digest>.json`. Records are added, never changed.
#[derive(Debug, Clone)]
pub struct FolderStore {
    folder: PathBuf,
    keys: KeyRing,
    signing: Option<SigningKey>,
}

impl FolderStore {
    pub fn new(folder: impl Into<PathBuf>, keys: &KeyRing, signing: Option<&SigningKey>) -> Self {
        Self {
            folder: folder.into(),
            keys: keys.clone(),
            signing: signing.cloned(),
        }
    }

    fn failed(action: &'static str, place: &Path, source: io::Error) -> StoreError {
        let hint = match action {
            "write" => {
                Some("make the folder writable, then run again: nothing else is left to do".to_owned())
            }
            _ => None,
        };
        StoreError {
            action,
            place: format!("`{}`", place.display()),
            source: source.into(),
            hint,
        }
    }

    fn open(&self, path: &Path, environment: &EnvironmentName) -> Result<Opened, Unopened> {
        // A pipe would be waited for.
        let text = if path.is_file() {
            std::fs::read_to_string(path)
        } else {
            Err(io::Error::other("not a regular file"))
        };
        let text = text.map_err(|error| Rejection::File(error.to_string()))?;
        Evidence::open(&text, self.keys.of(environment))
    }
}

#[async_trait]
impl EvidenceStore for FolderStore {
    async fn read(&self, wanted: &Wanted<'_>) -> Result<Records, StoreError> {
        let folder = self.folder.join(wanted.environment.as_str());
        let mut records = Records::default();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(records),
            Err(error) => return Err(Self::failed("read", &folder, error)),
        };
        let named_for_this_set = format!("-{}.json", wanted.digest.short());
        for entry in entries {
            let path = entry
                .map_err(|error| Self::failed("read", &folder, error))?
                .path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let place = shown_path(&path);
            match self.open(&path, wanted.environment) {
                Ok(Opened { evidence, signed }) => records.evidence.push(Record {
                    evidence,
                    signed,
                    place,
                    state: State::Complete,
                    number: None,
                }),
                Err(Unopened { why, claims }) => {
                    let named = claims.is_none() && place.ends_with(&named_for_this_set);
                    records.rejected.push(Rejected {
                        of_this_set: named || claims.as_ref() == Some(wanted.digest),
                        place,
                        why,
                    });
                }
            }
        }
        Ok(records)
    }

    async fn write(&self, evidence: &Evidence) -> Result<String, StoreError> {
        let folder = self.folder.join(evidence.predicate.environment.as_str());
        let failed = |error| Self::failed("write", &folder, error);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let time = evidence.predicate.finished_at.strftime("%Y%m%dT%H%M%S%.6fZ");
        let path = folder.join(format!("{time}-{}.json", evidence.digest.short()));
        let text = evidence
            .seal(self.signing.as_ref())
            .and_then(|envelope: Envelope| envelope.to_text())
            .map_err(|error| failed(io::Error::other(error)))?;
        // Whole or not at all: a reader never sees half a record.
        let draft = path.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&draft, text).map_err(failed)?;
        std::fs::rename(&draft, &path).map_err(failed)?;
        Ok(shown_path(&path))
    }

    fn must_take(&self) -> bool {
        true
    }
}
