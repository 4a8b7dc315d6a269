//! The borders between tenants, asked of each server about its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;

use crate::domain::ServerName;
use crate::engine::EngineError;
use crate::engine::isolation::{Attempt, Borderline, Borders, Crossed};

use super::{Fleet, Member};

impl Fleet {
    pub(super) async fn borders_of_each(&self, line: &Borderline<'_>) -> Result<Vec<Borders>, EngineError> {
        let read = |member: Arc<Member>| async move {
            let tenants = line.tenants.iter().filter(|it| it.server == member.name);
            let own = Borderline {
                tenants: tenants.copied().collect(),
                serving_role: line.serving_role,
                alike: line.alike,
            };
            let found = member.engine.borders(&own).await;
            let mut found = found.map_err(|error| member.told(error))?;
            found.iter_mut().for_each(|it| it.server.clone_from(&member.name));
            Ok::<_, EngineError>(found)
        };
        let found = try_join_all(self.all().into_iter().map(read)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Both tenants of an attempt are on one server: the caller sees to that.
    pub(super) async fn attempt_on_each(
        &self,
        attempts: &[Attempt<'_>],
    ) -> Result<Option<Vec<Crossed>>, EngineError> {
        let mut parts: BTreeMap<Option<&ServerName>, Vec<usize>> = BTreeMap::new();
        for (index, attempt) in attempts.iter().enumerate() {
            parts.entry(attempt.own.server.as_ref()).or_default().push(index);
        }
        let mut all = vec![Crossed::default(); attempts.len()];
        for (server, indexes) in parts {
            let member = self.member(server)?;
            let own: Vec<Attempt<'_>> = indexes.iter().map(|index| attempts[*index].clone()).collect();
            let tried = member.engine.attempt(&own).await;
            let Some(tried) = tried.map_err(|error| member.told(error))? else {
                return Ok(None);
            };
            for (index, tried) in indexes.into_iter().zip(tried) {
                all[index] = tried;
            }
        }
        Ok(Some(all))
    }
}
