//! Marks of what was changed and not compared since: see `engine/uncompared.rs`.

use std::time::Instant;

use crate::domain::Check;
use crate::engine::{Engine, Mark};

use super::connect::LEDGER;
use super::{Command, Gate, Stage};

impl Gate<'_> {
    /// Before structures change: whatever becomes of this run, a later one compares them.
    pub(super) async fn leave_mark(&mut self, engine: &dyn Engine) -> Stage<()> {
        let since = Instant::now();
        let left = engine.leave_mark(&Mark::new(self.request.shard)).await;
        self.or_block(&LEDGER, since, left)
    }

    /// Those that there are before anything is compared. Only `run` takes them away.
    pub(super) async fn read_marks(&mut self, engine: &dyn Engine) -> Stage<Vec<Mark>> {
        if self.request.command != Command::Run {
            return Ok(Vec::new());
        }
        let since = Instant::now();
        let marks = engine.marks().await;
        let marks = self.or_block(&LEDGER, since, marks)?;
        let shard = self.request.shard;
        self.uncompared = marks.iter().any(|mark| mark.concerns(shard));
        Ok(marks)
    }

    /// Once all has been compared that they stand for, and nothing blocks.
    pub(super) async fn take_marks(&mut self, engine: &dyn Engine, marks: Vec<Mark>) -> Stage<()> {
        let since = Instant::now();
        let shard = self.request.shard;
        let marks: Vec<Mark> = marks.into_iter().filter(|mark| mark.is_within(shard)).collect();
        let compares = |it: &&Check| it.id.starts_with("drift.") || it.id.starts_with("isolation.");
        let blocked = self.checks.iter().filter(compares).any(Check::blocks);
        if marks.is_empty() || blocked || !self.left_behind.is_empty() {
            return Ok(());
        }
        let taken = engine.take_marks(&marks).await;
        self.or_block(&LEDGER, since, taken)
    }
}
