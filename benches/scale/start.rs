//! The program itself: how soon it is there, how large it is.

use std::process::Command;

use crate::Asked;
use crate::measure::{self, Times, line};

pub fn row(asked: &Asked) {
    let program = env!("CARGO_BIN_EXE_tenantgate");
    // For benchmarks its dependencies are built with what the tests need of them: the one that ships is not.
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--release", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    measure::run(build).assert_passed();
    let mut times = Times::default();
    for _ in 0..asked.rounds() * 20 {
        let mut command = Command::new(program);
        command.arg("--version");
        times.add(measure::run(command).assert_passed().wall);
    }
    line("--version", &times.shown(), Some("10 ms"));
    let size = std::fs::metadata(program).unwrap().len() as f64 / 1e6;
    line("stripped release binary", &format!("{size:.2} MB"), Some("15 MB"));
}
