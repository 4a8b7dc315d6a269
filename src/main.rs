//! Parses, runs, renders the error, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(tenantgate::main().code())
}
