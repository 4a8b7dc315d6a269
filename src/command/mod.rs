//! One invocation, from arguments to exit code.

mod failure;
mod gate;
mod init;
mod keygen;
mod lint;
mod matrix;
mod report;
mod url;

use std::io::Write;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Command, EXIT_STATUS, FromArg, Global, OverrideArg, SchemaOf};
use crate::domain::{Scope, TenantName, Version};
use crate::exit::Exit;
use crate::report::schema::report_schema;
use crate::run::{self, LintRequest, Request};
use crate::settings::{self, Flags, Invocation, ProcessEnvironment, Settings, SettingsError};

/// Does what the arguments say. Every error is rendered here.
pub fn main() -> Exit {
    crate::panic::install();
    let carried_out = match refuse_a_password() {
        Err(wrong) => Err(wrong.into()),
        Ok(()) => match parse_arguments() {
            Ok(cli) => carry_out(&cli),
            Err(error) => {
                // Nobody listens where the stream is closed.
                let _ = error.print();
                let help = error.exit_code() == 0;
                return if help { Exit::Passed } else { Exit::Usage };
            }
        },
    };
    match carried_out {
        Ok(exit) => exit,
        Err(error) => failure::tell(&error),
    }
}

/// The exit codes are part of every command's help.
fn parse_arguments() -> Result<Cli, clap::Error> {
    let of_all = |command: clap::Command| command.after_help(EXIT_STATUS);
    let command = Cli::command().mut_subcommands(|command| of_all(command).mut_subcommands(of_all));
    Cli::from_arg_matches(&command.try_get_matches()?)
}

/// A URL in place of a name or a file would be repeated by whatever does not find it.
fn refuse_a_password() -> Result<(), Wrong> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.any(|it| may_hold_a_password(&it.to_string_lossy())) {
        let hint = "give the NAME of an environment variable that holds it, or pipe it into `tenantgate url`: an \
                    argument is seen by other users of this machine";
        return Err(Wrong::new("a URL as an argument is not accepted", hint));
    }
    Ok(())
}

/// A URL, or libpq's and JDBC's keywords.
fn may_hold_a_password(argument: &str) -> bool {
    argument.contains("://") || argument.to_ascii_lowercase().contains("password=")
}

/// Something wrong with how the command was called.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Wrong {
    message: String,
    hint: Option<String>,
}

impl Wrong {
    fn new(message: impl Into<String>, hint: &str) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.to_owned()),
        }
    }
}

fn carry_out(cli: &Cli) -> anyhow::Result<Exit> {
    let process = ProcessEnvironment::read();
    let request = |command| Request {
        command,
        dry_run: false,
        scope: None,
        only: Vec::new(),
        shard: None,
        show_sql: false,
        all_environments: false,
        version: None,
        all_or_nothing: false,
        lint: LintRequest::default(),
        overriding: None,
        from: run::From::default(),
        out: None,
        compares: false,
        proves: false,
    };
    let request = match &cli.command {
        Command::Schema { of } => return print_schema(*of),
        Command::Url { name, export } => return url::url(cli, &process, name.as_deref(), *export),
        Command::Init(arguments) => return init::init(cli, &process, arguments),
        Command::Matrix { shards } => return matrix::matrix(*shards, &process),
        Command::Report { file, merge } => {
            return report::report(cli, &process, file.as_deref(), merge.as_ref());
        }
        Command::Keygen { out } => return keygen::keygen(out.as_deref(), &process),
        Command::Run {
            dry_run, overriding, ..
        } => Request {
            dry_run: *dry_run,
            overriding: reason(overriding)?,
            ..request(run::Command::Run)
        },
        Command::Relabel { dry_run } => Request {
            dry_run: *dry_run,
            ..request(run::Command::Relabel)
        },
        Command::Plan { sql, prove } => Request {
            show_sql: *sql,
            proves: *prove,
            ..request(run::Command::Plan)
        },
        Command::Migrate {
            scope,
            tenant,
            shard,
            dry_run,
            overriding,
            ..
        } => Request {
            shard: *shard,
            dry_run: *dry_run,
            overriding: reason(overriding)?,
            scope: scope.map(Into::into),
            only: tenant_names(tenant)?,
            ..request(run::Command::Migrate)
        },
        Command::Rollback {
            to,
            scope,
            tenant,
            dry_run,
        } => Request {
            version: Some(Version(*to)),
            scope: scope.map(Into::into),
            only: tenant_names(tenant)?,
            dry_run: *dry_run,
            ..request(run::Command::Rollback)
        },
        Command::Baseline {
            version,
            scope,
            tenant,
            all_or_nothing,
            dry_run,
        } => Request {
            version: Some(Version(*version)),
            scope: scope.map(Into::into),
            only: tenant_names(tenant)?,
            all_or_nothing: *all_or_nothing,
            dry_run: *dry_run,
            ..request(run::Command::Baseline)
        },
        Command::Check { all_environments } => Request {
            all_environments: *all_environments,
            ..request(run::Command::Check)
        },
        Command::Snapshot {
            out,
            from,
            tenant,
            check,
        } => Request {
            out: out.clone(),
            from: match (from, tenant) {
                (FromArg::Migrations, None) => run::From::Migrations,
                _ => run::From::Tenants,
            },
            only: tenant_names(tenant.as_slice())?,
            compares: *check,
            ..request(run::Command::Snapshot)
        },
        Command::Validate => request(run::Command::Validate),
        Command::Lint {
            rules: true, engine, ..
        } => return lint::list(&cli.global, &process, *engine),
        Command::Lint {
            files, since, engine, ..
        } => Request {
            lint: LintRequest {
                files: files.clone(),
                since: since.clone(),
                engine: engine.map(Into::into),
            },
            ..request(run::Command::Lint)
        },
        Command::Promote => request(run::Command::Promote),
        Command::Status => request(run::Command::Status),
    };
    let mut settings = load_settings(&cli.global, &process)?;
    if let Command::Run { deadline, .. } | Command::Migrate { deadline, .. } = &cli.command {
        settings.rollout.deadline = deadline.deadline.or(settings.rollout.deadline);
    }
    refuse_one_tenants_part(&request, &settings)?;
    let invocation = Invocation::from_environment(&process);
    gate::gate(&request, &settings, &invocation, &cli.global)
}

/// Where tenants share tables, no part of a change is one tenant's.
fn refuse_one_tenants_part(request: &Request, settings: &Settings) -> Result<(), Wrong> {
    if settings.tenancy.row.is_none() {
        return Ok(());
    }
    let shared = "say --scope shared";
    let (flag, hint) = match request.command {
        _ if !request.only.is_empty() => ("--tenant", "leave it out"),
        _ if request.shard.is_some() => ("--shard", "leave it out"),
        _ if request.scope == Some(Scope::Tenant) => ("--scope tenant", shared),
        run::Command::Snapshot if request.from == run::From::Tenants => {
            ("--from largest", "say --from migrations")
        }
        run::Command::Rollback | run::Command::Baseline if request.scope.is_none() => {
            let message = format!(
                "`{}` without --scope is for tenants' own tables, and in mode \"row\" all tables are shared",
                request.command.as_str()
            );
            return Err(Wrong::new(message, shared));
        }
        _ => return Ok(()),
    };
    let message = format!("{flag} picks tenants, and in mode \"row\" they share their tables");
    Err(Wrong::new(message, hint))
}

fn tenant_names(names: &[String]) -> Result<Vec<TenantName>, Wrong> {
    names.iter().map(|name| tenant_name(name)).collect()
}

fn tenant_name(text: &str) -> Result<TenantName, Wrong> {
    TenantName::parse(text)
        .map_err(|why| Wrong::new(format!("--tenant: {why}"), "give the name as the registry has it"))
}

/// What is worth keeping in the ledger for years.
const SHORTEST_REASON: usize = 10;
const LONGEST_REASON: usize = 300;

fn reason(argument: &OverrideArg) -> Result<Option<String>, Wrong> {
    let Some(reason) = &argument.reason else {
        return Ok(None);
    };
    let reason = reason.trim();
    let length = reason.chars().count();
    let wrong = |message: &str| {
        let hint = format!(
            "say on one line of {SHORTEST_REASON} to {LONGEST_REASON} characters why the promotion rules are set aside: \
             --override \"INC-311: UAT's server is down, the fix is reviewed\""
        );
        Err(Wrong::new(format!("--override: {message}"), &hint))
    };
    match () {
        () if length == 0 => wrong("the reason is empty"),
        () if reason.chars().any(char::is_control) => wrong("the reason is not one line of text"),
        () if length < SHORTEST_REASON => wrong("the reason is too short"),
        () if length > LONGEST_REASON => wrong("the reason is too long"),
        () => Ok(Some(reason.to_owned())),
    }
}

fn load_settings(global: &Global, process: &ProcessEnvironment) -> Result<Settings, SettingsError> {
    let flags = Flags {
        config: global.config.clone(),
        environment: global.environment.clone(),
        env_file: global.env_file.clone(),
        evidence: global.evidence.clone(),
        comment: global.comment,
        status: global.status,
        check_run: global.check_run,
    };
    settings::load(&flags, process)
}

/// Whoever reads stdout may stop reading (`| head`): that is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to stdout"),
    }
}

fn print_schema(of: SchemaOf) -> anyhow::Result<Exit> {
    let schema = match of {
        SchemaOf::Config => settings::config_schema(),
        SchemaOf::Report => report_schema(),
    };
    print(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(Exit::Passed)
}
