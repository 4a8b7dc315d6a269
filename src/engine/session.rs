//! One connection that changes tenants, the same for all engines.

use async_trait::async_trait;

use crate::domain::{Migration, Redactor};

use super::ranges::{Load, RangeError, Standing as RangeStanding};
use super::{EngineError, ErrorKind, StepError, Target};

/// One connection that migrates one tenant after the other.
#[async_trait]
pub trait Session: Send {
    /// False after an error or a session setting: throw it away.
    fn reusable(&self) -> bool;

    /// Applies the migrations and writes their ledger rows in one transaction, making the tenant's
    /// schema where `create` says so. On an error nothing has happened.
    async fn apply(
        &mut self,
        target: Target<'_>,
        create: bool,
        migrations: &[&Migration],
    ) -> Result<(), StepError>;

    /// Takes migrations back by their down files, in this order, and their ledger rows with them, all in
    /// one transaction. On an error nothing has happened.
    async fn revert(&mut self, target: Target<'_>, migrations: &[&Migration]) -> Result<(), StepError>;

    /// Opens a migration's ledger row, or turns it for a down file, to be carried out statement by statement.
    async fn begin(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
    ) -> Result<(), EngineError>;

    /// Settles what became of a statement whose answer was never read, or that leaves something
    /// behind when it fails: true when it took effect. What is left of a failed one is removed.
    async fn settle(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<bool, EngineError>;

    /// Carries out one statement and records in the ledger that it is done, together where the
    /// engine can, else before and after. The last statement makes the migration applied, or takes the row
    /// away.
    async fn step(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), StepError>;

    /// Applies the same migrations to several tenants (made where the flag says so) and writes their ledger
    /// rows, all in one transaction. It waits for no lock to speak of. On an error nothing has happened.
    async fn apply_together(
        &mut self,
        _targets: &[(Target<'_>, bool)],
        _migrations: &[&Migration],
    ) -> Result<(), EngineError> {
        let message = "a bug of tenantgate: this engine takes tenants one by one";
        Err(EngineError::new(
            ErrorKind::Statement,
            message,
            &Redactor::default(),
        ))
    }

    /// Carries out migrations where the engine cannot roll DDL back, in as few messages as it can: the
    /// first where the ledger has it at the statement `from`, settled as [`Session::settle`] does.
    /// The ledger keeps up, so that a rerun goes on where this one was cut off or refused.
    async fn carry_on(
        &mut self,
        _target: Target<'_>,
        _create: bool,
        _migrations: &[&Migration],
        _from: Option<usize>,
    ) -> Result<(), StepError> {
        let message = "a bug of tenantgate: this engine applies migrations whole, or by single statements";
        Err(StepError {
            error: EngineError::new(ErrorKind::Statement, message, &Redactor::default()),
            migration: 0,
            place: None,
        })
    }

    /// Takes the row of a begun migration away of which nothing ran, and what a refused build left. Where it
    /// is not so any more, another run was faster: [`ErrorKind::AlreadyApplied`].
    async fn withdraw(&mut self, target: Target<'_>, migration: &Migration) -> Result<(), EngineError>;

    /// Records that the server refused the statement at `index`: it has had no effect.
    async fn refuse(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError>;

    /// Records that the first `done` statements are done, and with the last one the migration.
    async fn advance(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        done: usize,
    ) -> Result<(), EngineError>;

    /// Where a batch stands. Where none of it is done this looks for the end of its keys and records
    /// it: with the migration's ledger row, unless it was `begun` before.
    async fn open_ranges(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
        begun: bool,
    ) -> Result<RangeStanding, EngineError>;

    /// Carries out the next range in one transaction with the record of it; with the last one the
    /// migration is applied.
    async fn next_range(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        at: &RangeStanding,
    ) -> Result<RangeStanding, RangeError>;

    /// How busy the server is; nothing is known where the engine has no server.
    async fn load(&mut self) -> Result<Load, EngineError> {
        Ok(Load::default())
    }
}
