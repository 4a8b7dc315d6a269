//! SIGKILL for the server itself, in the middle of a run.

use std::thread;
use std::time::Instant;

use super::storm::{prepared, undisturbed};
use crate::harness::soak::{Tally, times};
use crate::harness::{PrivateServer, Server};

fn killed(server: Server) {
    let mut private = PrivateServer::start(server);
    let mut tally = Tally::of(format!("{server:?}: the server killed"));
    let whole = undisturbed(|| prepared(private.fresh_database()));
    let kills = times(3, 20);
    for kill in 0..kills {
        let case = prepared(private.fresh_database());
        let moment = (kill as f64 + fastrand::f64()) / kills as f64;
        let run = case.spawn();
        thread::sleep(whole.mul_f64(moment));
        private.kill();
        tally.blow();
        // Half of them meet a server that is not back yet.
        if kill % 2 == 0 {
            private.restart();
        }
        let begun = Instant::now();
        let run = run.wait();
        assert!(
            matches!(run.code, Some(0 | 3)),
            "{moment:.3}: {}\n{}",
            run.stdout,
            run.stderr
        );
        if kill % 2 == 1 {
            private.restart();
        }
        let what = format!(
            "kill {kill} at {moment:.3} of {whole:?}; the run ended {:?} later",
            begun.elapsed()
        );
        case.assert_converges(whole, &mut tally, &what);
    }
}

#[test]
fn postgres() {
    killed(Server::Postgres);
}

#[test]
fn mariadb() {
    killed(Server::Mariadb);
}
