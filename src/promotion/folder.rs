//! Evidence in a folder: for a laptop, and for artifacts between jobs.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::domain::{EnvironmentName, shown_path};

use super::{Evidence, EvidenceStore, Records, StoreError, UnreadableEvidence};

/// One file a run: `<folder>/<environment>/<time>-<digest>.json`. Records are added, never changed.
#[derive(Debug, Clone)]
pub struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn failed(action: &'static str, place: &Path, source: io::Error) -> StoreError {
        StoreError {
            action,
            place: place.display().to_string(),
            source,
        }
    }
}

#[async_trait]
impl EvidenceStore for FolderStore {
    async fn read(&self, environment: &EnvironmentName) -> Result<Records, StoreError> {
        let folder = self.folder.join(environment.as_str());
        let mut records = Records::default();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(records),
            Err(error) => return Err(Self::failed("read", &folder, error)),
        };
        for entry in entries {
            let path = entry
                .map_err(|error| Self::failed("read", &folder, error))?
                .path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            // A pipe would be waited for.
            let text = if path.is_file() {
                std::fs::read_to_string(&path)
            } else {
                Err(io::Error::other("not a regular file"))
            };
            let text = text.map_err(UnreadableEvidence::File);
            match text.and_then(|text| Evidence::from_envelope(&text)) {
                // A file copied over from another environment's folder shows nothing about this one.
                Ok(evidence) if evidence.predicate.environment != *environment => {
                    let why = UnreadableEvidence::Environment(evidence.predicate.environment);
                    records.unreadable.push((path.display().to_string(), why));
                }
                Ok(evidence) => records.evidence.push(evidence),
                Err(why) => records.unreadable.push((path.display().to_string(), why)),
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
            .to_envelope()
            .map_err(|error| failed(io::Error::other(error)))?;
        // Whole or not at all: a reader never sees half a record.
        let draft = path.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&draft, text).map_err(failed)?;
        std::fs::rename(&draft, &path).map_err(failed)?;
        Ok(shown_path(&path))
    }
}
