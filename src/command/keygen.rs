//! `tenantgate keygen`: a pair of keys, of which one must not be seen.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::domain::SigningKey;
use crate::exit::Exit;
use crate::settings::{Invocation, ProcessEnvironment};

use super::{Wrong, print};

const PIPE: &str = "pipe it where it belongs, for example `tenantgate keygen | gh secret set TENANTGATE_SIGNING_KEY \
                    --env uat`, or write it into a file: `tenantgate keygen --out FILE`";

pub(super) fn keygen(out: Option<&Path>, process: &ProcessEnvironment) -> anyhow::Result<Exit> {
    let in_actions = Invocation::from_environment(process).in_actions;
    if out.is_none() && std::io::stdout().is_terminal() {
        return Err(Wrong::new(
            "a signing key is not printed on a terminal, which would keep it",
            PIPE,
        )
        .into());
    }
    if out.is_none() && in_actions {
        let hint = "make the pair on your own machine; in a workflow only `--out FILE` is allowed";
        return Err(Wrong::new("a signing key is not printed into a workflow's log", hint).into());
    }
    let key = SigningKey::generate().context("the system gives no random numbers")?;
    let line = key.expose_line();
    let public = format!("public_keys = [\"{}\"]\n", key.public.to_line());
    match out {
        Some(path) => {
            write_new(path, &line)?;
            print(&public)?;
            let note = format!(
                "the signing key is in `{}`: put it into the secret TENANTGATE_SIGNING_KEY of the GitHub environment \
                 that it is to vouch for, then remove the file. The line above goes into that environment's table in \
                 the config: [environments.NAME]. (In [promotion] the key vouches for every environment.)\n",
                path.display()
            );
            say(&note);
        }
        None => {
            hand_over(&line).context("the key was not taken by what it was piped into")?;
            say(&format!(
                "for [environments.NAME] in the config, the environment that the key is to vouch for:\n{public}"
            ));
        }
    }
    Ok(Exit::Passed)
}

/// Nobody may believe that a key is in use which is lost.
fn hand_over(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes())?;
    stdout.flush()
}

/// Nobody listens where stderr is closed.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Never over a key that may be in use.
fn write_new(path: &Path, line: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let shown = path.display();
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let hint = "a key is never written over: name another file, or remove this one";
            return Err(Wrong::new(format!("`{shown}` exists already"), hint).into());
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write the key to `{shown}`")),
    };
    file.write_all(format!("{line}\n").as_bytes())
        .with_context(|| format!("cannot write the key to `{shown}`"))
}
