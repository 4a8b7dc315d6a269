//! A place without a trace, in which migrations are tried out one after the other and looked at in between.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::domain::{Migration, Scope, Structure};

use super::{EngineError, Target};

/// One place for the shared schema and one for a tenant's, empty at first.
#[async_trait]
pub trait Scratch: Send {
    /// Carries out one migration, or the file that takes it back, in the place of its scope. Where the engine
    /// rolls DDL back what was refused has had no effect.
    async fn carry_out(&mut self, migration: &Migration) -> Result<(), EngineError>;

    /// Makes the empty place of a scope what a live one is, without its rows, as far as that can be done; false:
    /// no way is known. `structure` is what was read of it.
    async fn copy(&mut self, live: Target<'_>, structure: &Structure) -> Result<bool, EngineError>;

    async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError>;

    /// How many rows each table has.
    async fn rows(&mut self, scope: Scope) -> Result<BTreeMap<String, u64>, EngineError>;

    /// Removes it. One that is only dropped is gone as well, at the latest when another one is made.
    async fn close(self: Box<Self>) -> Result<(), EngineError>;
}
