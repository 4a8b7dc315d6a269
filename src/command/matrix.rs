//! The jobs of a matrix.

use anyhow::Context as _;

use crate::domain::Shard;
use crate::exit::Exit;
use crate::publish;
use crate::settings::{Invocation, ProcessEnvironment};

use super::gate::{append, unguessable};
use super::{Wrong, print};

/// `{"shard":["1/2","2/2"]}` on stdout, and as the step's output where there is a step.
pub(super) fn matrix(shards: u16, process: &ProcessEnvironment) -> anyhow::Result<Exit> {
    let shards = Shard::all(shards)
        .map_err(|why| Wrong::new(format!("--shards: {why}"), "a number from 1 to 256: `--shards 8`"))?;
    let json = serde_json::json!({ "shard": shards }).to_string();
    let invocation = Invocation::from_environment(process);
    let output = invocation.actions.as_ref().and_then(|it| it.output.as_deref());
    let written = output.map_or(Ok(()), |path| {
        let outputs = [
            ("matrix", json.clone()),
            ("exit-code", Exit::Passed.code().to_string()),
        ];
        append(path, &publish::render_outputs(&outputs, &unguessable()))
            .with_context(|| format!("cannot write the step's outputs `{path}`"))
    });
    print(&format!("{json}\n")).and(written)?;
    Ok(Exit::Passed)
}
