//! The command line. Its help is the manual.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::database_url::{EngineKind, ExportFormat};
use crate::domain::{Scope, Shard};
use crate::report::Format;
use crate::settings::{self, When};

/// Below every help.
pub(crate) const EXIT_STATUS: &str = "\
Exit status:
  0   passed
  1   the gate is blocked: the report says by what
  2   usage or configuration is wrong: nothing was touched
  3   could not find out: a server, the network or a permission failed
  70  a bug of tenantgate

Data goes to stdout, everything else to stderr.";

/// Executes the deployment checklist of a multi-tenant database: secrets, DATABASE_URL, migrations
/// (shared, then every tenant), validation, verdict; and lets a change into the next environment only
/// where exactly that change passed in the one before.
#[derive(Debug, Parser)]
#[command(
    name = "tenantgate",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(after_help = EXIT_STATUS)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Global {
    /// The config file.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        default_value = "tenantgate.toml"
    )]
    pub config: PathBuf,
    /// The environment, as the config names it [env: TENANTGATE_ENVIRONMENT]. Not needed where the
    /// config has only one.
    #[arg(long, short, global = true, value_name = "NAME")]
    pub environment: Option<String>,
    /// Variables from a file, instead of the environment's own `env_file`. The process environment wins.
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// The folder of evidence, instead of the config's.
    #[arg(long, global = true, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// In GitHub Actions: the comment on the pull request. `auto` is as the config says.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub comment: When,
    /// In GitHub Actions: the commit status.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub status: When,
    /// In GitHub Actions: the check run with annotations.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub check_run: When,
    /// What is printed on stdout.
    #[arg(long, short, global = true, value_enum, default_value_t)]
    pub format: Format,
    /// Also writes the JSON report there, whatever the verdict.
    #[arg(long, global = true, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Also writes the report there as SARIF, for code scanning.
    #[arg(long, global = true, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Colours; `auto` is yes on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// No progress on stderr.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole gate: secrets, URL, promotion, migrations, validation, verdict, evidence.
    Run {
        /// Stop before anything is written, and show the plan.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        deadline: DeadlineArg,
        #[command(flatten)]
        overriding: OverrideArg,
    },
    /// Asks about the environment's secrets and its DATABASE_URL. Uses no network.
    Check {
        /// Also asks GitHub by name whether the required secrets exist in every GitHub environment. Needs
        /// a fine-grained or App token with `Environments: read` and `Secrets: read`; GITHUB_TOKEN may not.
        #[arg(long)]
        all_environments: bool,
    },
    /// Explains one DATABASE_URL without showing its password. Uses no network.
    ///
    /// Without NAME and `--environment` the URL is read from standard input.
    Url {
        /// The environment variable that holds it; `-` is standard input.
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Prints DB_ENGINE, DB_USER, DB_PASSWORD, DB_HOST, DB_PORT, DB_NAME instead: the only place
        /// where a password comes out. `github` appends them to the file that GITHUB_ENV names, after
        /// masking the password in the log.
        #[arg(long, value_enum, value_name = "FORMAT")]
        export: Option<ExportFormat>,
    },
    /// Shows which migrations are pending for whom. Writes nothing.
    Plan {
        /// With the SQL that would run.
        #[arg(long)]
        sql: bool,
        /// Also tries the migrations out where it leaves no trace: twice, back and again, and on what is there.
        #[arg(long)]
        prove: bool,
    },
    /// Applies pending migrations, shared ones first. The promotion rules hold here too.
    Migrate {
        /// Only this scope.
        #[arg(long, value_enum)]
        scope: Option<ScopeArg>,
        /// Only this tenant; may be given several times.
        #[arg(long, value_name = "NAME", conflicts_with = "scope")]
        tenant: Vec<String>,
        /// Only the tenants of this part, such as 3/8, beside the jobs that have the other parts; see
        /// `matrix`. A tenant's part follows from its name. Refused while shared migrations are pending:
        /// `migrate --scope shared` comes first. Ensured tenants are registered by the shard that they are
        /// in; waves and `max_failures` hold within the shard. GitHub is not told: the last `run` does that.
        #[arg(long, value_name = "I/N", conflicts_with_all = ["scope", "tenant"])]
        shard: Option<Shard>,
        /// Stop before anything is written, and show the plan.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        deadline: DeadlineArg,
        #[command(flatten)]
        overriding: OverrideArg,
    },
    /// Writes what the migrations make into a file that is committed, so that a pull request shows what changes.
    ///
    /// It is learnt by running them where it leaves no trace; the database is only read.
    Snapshot {
        /// Instead of the config's `snapshot`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// What it is of.
        #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
        from: FromArg,
        /// Of this tenant as it is.
        #[arg(long, value_name = "NAME", conflicts_with = "from")]
        tenant: Option<String>,
        /// Writes nothing: says what differs between the file and what it would be of.
        #[arg(long)]
        check: bool,
    },
    /// Compares registry, ledger and schemas with what must be. Writes nothing.
    Validate,
    /// Looks for what would hurt in migrations: data lost, tenants mixed up, locks that all wait for. Needs no
    /// database.
    ///
    /// `plan`, `run` and `migrate` do so for what is pending. Here it is the whole set, unless files or
    /// `--since` say which. The engine is that of the environment's URL, where it is set.
    Lint {
        /// Only these migrations.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Only migrations that Git has as new or changed since this commit or branch.
        #[arg(long, value_name = "REF", conflicts_with = "files")]
        since: Option<String>,
        /// The engine, where the URL is not at hand. Default: what the config's mode and names say.
        #[arg(long, value_enum)]
        engine: Option<EngineArg>,
        /// Lists all rules instead, with their levels here.
        #[arg(long, conflicts_with_all = ["files", "since"])]
        rules: bool,
    },
    /// Asks whether this migration set may enter the environment. Needs no database.
    Promote,
    /// Shows where every tenant stands. Writes nothing.
    Status,
    /// Prints the shards as JSON for `strategy.matrix`, one job for each. Needs no config and no database.
    ///
    /// In GitHub Actions the line is also the step's output `matrix`, for `matrix: ${{ fromJSON(…) }}`. Each
    /// job then runs `migrate --shard ${{ matrix.shard }}`.
    Matrix {
        /// How many, from 1 to 256.
        #[arg(long, value_name = "N")]
        shards: u16,
    },
    /// Renders a JSON report again, for example in another format. Exits as the command that made it did.
    #[command(subcommand_precedence_over_arg = true, subcommand_negates_reqs = true)]
    Report {
        /// Written by `--report` of an earlier command.
        #[arg(value_name = "FILE", required = true)]
        file: Option<PathBuf>,
        #[command(subcommand)]
        merge: Option<ReportCommand>,
    },
    /// Takes applied migrations back by their down files, newest first: `0042_add_priority.down.sql` takes
    /// `0042_add_priority.sql` back.
    ///
    /// Nothing is touched where a down file is missing, an applied file was edited, or something is half
    /// done. What was begun and refused before anything of it ran counts as not applied. The environment does not count as passed any more, until `run` passes again.
    Rollback {
        /// Everything above this version, which a file or the ledger has, is taken back; 0 means everything.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
        to: u64,
        /// `shared` takes the shared schema back instead of tenants; refused while tenants have migrations
        /// that came after it.
        #[arg(long, value_enum)]
        scope: Option<ScopeArg>,
        /// Only this tenant; may be given several times.
        #[arg(long, value_name = "NAME", conflicts_with = "scope")]
        tenant: Vec<String>,
        /// Only say what would be taken back.
        #[arg(long)]
        dry_run: bool,
    },
    /// Adopts an existing database: marks migrations as applied where the structure is what they make.
    ///
    /// What they make is learnt by running them where it leaves no trace. Tenants that differ are refused by
    /// name, with what differs; the others are marked all the same. None of the migrations is run on them.
    #[command(disable_version_flag = true)]
    Baseline {
        /// The newest version that the database already has.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
        version: u64,
        /// `shared` adopts the shared schema instead of tenants. It comes first.
        #[arg(long, value_enum)]
        scope: Option<ScopeArg>,
        /// Only this tenant; may be given several times.
        #[arg(long, value_name = "NAME", conflicts_with = "scope")]
        tenant: Vec<String>,
        /// Marks nobody where one tenant is refused.
        #[arg(long)]
        all_or_nothing: bool,
        /// Only say what would be marked.
        #[arg(long)]
        dry_run: bool,
    },
    /// Says on purpose that a restored copy of another environment's database is this environment's.
    Relabel {
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Makes a pair of keys for evidence.
    ///
    /// The signing key is printed on stdout, alone, to be piped into the secret
    /// TENANTGATE_SIGNING_KEY; the line for the config on stderr. A terminal and a workflow's log would
    /// keep it, so there `--out` is needed.
    Keygen {
        /// Writes the signing key into a new file that only you can read, and prints the line for the
        /// config on stdout.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Writes a config and workflows for the repository it is called in.
    ///
    /// It looks at folders with migrations, branches, and names of secrets in workflows, and never at the
    /// value of one. What exists is left alone; an existing config is kept, and the workflows follow it.
    Init(InitArgs),
    /// Prints a JSON Schema.
    Schema {
        /// Of which file.
        #[arg(value_enum)]
        of: SchemaOf,
    },
}

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Joins the reports of `migrate --scope shared` and of every `migrate --shard I/N` into one, with one
    /// verdict.
    ///
    /// All must be of one project, environment, commit, migration set and version of tenantgate, and every
    /// shard must be there once. One that left no report blocks, by name. Nothing is asked of the database
    /// and no evidence is written: that does a last `run`, which has nothing left to migrate, validates every
    /// tenant, and tells GitHub.
    Merge {
        /// Reports written by `--report`; a folder stands for every `.json` file below it, at most five folders
        /// deep. Links are not followed.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct OverrideArg {
    /// Break glass: go on although the promotion rules say no. Only for those whom [promotion.override]
    /// lists, in a workflow that was begun by hand; the reason, of 10 to 300 characters, is kept in report,
    /// evidence and ledger.
    #[arg(long = "override", value_name = "REASON")]
    pub reason: Option<String>,
}

#[derive(Debug, Args)]
pub struct DeadlineArg {
    /// After this much time nothing new is begun, and half a minute later what is still in hand is rolled
    /// back; the report says who was not reached. Set it two minutes below the job's `timeout-minutes`.
    #[arg(long, value_name = "DURATION", value_parser = deadline)]
    pub deadline: Option<Duration>,
}

fn deadline(text: &str) -> Result<Duration, String> {
    match settings::parse_duration(text) {
        Some(deadline) if !deadline.is_zero() => Ok(deadline),
        Some(_) => Err("nothing would ever run".to_owned()),
        None => Err(settings::DURATION_FORM.to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder to look at, instead of the current one; `--config` is relative to it.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The environments in the order of promotion, instead of a guess: dev,uat,prod.
    #[arg(long, value_name = "NAMES")]
    pub environments: Option<String>,
    /// The engine, instead of a guess.
    #[arg(long, value_enum)]
    pub engine: Option<EngineArg>,
    /// The commit of the action that the workflows call: SHA, or OWNER/REPOSITORY@SHA.
    #[arg(long, value_name = "REF")]
    pub action_ref: Option<String>,
    /// Asks nothing and takes the guesses.
    #[arg(long, short)]
    pub yes: bool,
    /// Replaces workflows that init made, with all changes in them. A config is never replaced.
    #[arg(long)]
    pub force: bool,
    /// Only say what would be written.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// A schema per tenant.
    Postgres,
    /// MariaDB or MySQL: a database per tenant.
    Mysql,
    /// A file per tenant.
    Sqlite,
}

impl From<EngineArg> for EngineKind {
    fn from(engine: EngineArg) -> Self {
        match engine {
            EngineArg::Postgres => Self::Postgres,
            EngineArg::Mysql => Self::Mysql,
            EngineArg::Sqlite => Self::Sqlite,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScopeArg {
    Shared,
    Tenant,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::Shared => Self::Shared,
            ScopeArg::Tenant => Self::Tenant,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FromArg {
    /// What the migrations make of nothing.
    #[default]
    Migrations,
    /// One of the largest group of tenants that are alike.
    Largest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// tenantgate.toml
    Config,
    /// The JSON report.
    Report,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
