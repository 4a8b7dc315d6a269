//! Adopting an existing database.

use crate::engine::Engine;

use super::survey::Survey;
use super::{Gate, Stage};

impl Gate<'_> {
    pub(super) async fn baseline(&mut self, _engine: &dyn Engine, _survey: Survey) -> Stage<()> {
        Ok(())
    }
}
