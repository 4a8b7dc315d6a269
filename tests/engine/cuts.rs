//! The network between the program and the server fails: the next run converges.

use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use super::storm::{prepared, undisturbed};
use crate::harness::soak::{Tally, times};
use crate::harness::{Cutter, Server, Way};

/// One run through a proxy of its own.
fn proxied(server: Server) -> (Case, Cutter) {
    let mut case = prepared(server.fresh_database());
    let cutter = Cutter::before(case.db.url());
    // Thirty times this is how long the program believes in a server that says nothing.
    let url = format!("{}?connect_timeout=1", cutter.url());
    case.project.env("DEV_DB_URL", url);
    (case, cutter)
}

/// How it fails.
#[derive(Debug, Clone, Copy)]
enum Failure {
    /// One connection, in the middle of what it sends.
    At(Way, usize),
    /// All connections.
    All,
    /// Nothing passes for a while, and then the connections are gone.
    SilenceThenAll,
    /// Nothing passes for a while, and then everything goes on.
    SilenceThenMore,
    /// Nothing passes, and nobody ever says so.
    Silence,
}

/// From the first of them on.
const KINDS: usize = 6;
const SILENCE: usize = 5;

fn cut(server: Server, cuts: usize, mut kind: usize) {
    let mut tally = Tally::of(format!("{server:?}: the network cut"));
    let mut bytes = [0, 0];
    let whole = undisturbed(|| {
        let (case, cutter) = proxied(server);
        case.run().assert_code(0);
        bytes = [Way::ToServer, Way::ToClient].map(|way| cutter.passed(way));
        prepared(server.fresh_database())
    });
    let mut tries = 0..3 * cuts;
    while tally.blows() < cuts {
        assert!(
            tries.next().is_some(),
            "too few cuts met anything: {}",
            tally.blows()
        );
        let failure = match kind % KINDS {
            0 => Failure::At(Way::ToServer, fastrand::usize(1..bytes[0])),
            1 => Failure::At(Way::ToClient, fastrand::usize(1..bytes[1])),
            2 => Failure::SilenceThenAll,
            3 => Failure::SilenceThenMore,
            4 => Failure::All,
            _ => Failure::Silence,
        };
        kind += 1;
        let (mut case, cutter) = proxied(server);
        let moment = whole.mul_f64(fastrand::f64());
        let what = format!("{failure:?}, {moment:?} of {whole:?}");
        if let Failure::At(way, byte) = failure {
            cutter.cut_after(way, byte);
        }
        let mut run = case.spawn();
        let pause = Duration::from_millis(fastrand::u64(300..1500));
        let begun = Instant::now();
        match failure {
            Failure::At(..) => {}
            Failure::All => {
                thread::sleep(moment);
                cutter.sever();
            }
            Failure::SilenceThenAll => {
                thread::sleep(moment);
                cutter.silence();
                thread::sleep(pause);
                cutter.sever();
            }
            Failure::SilenceThenMore => {
                thread::sleep(moment);
                cutter.silence();
                thread::sleep(pause);
                cutter.unsilence();
            }
            Failure::Silence => {
                thread::sleep(moment);
                cutter.silence();
            }
        }
        while run.is_running() {
            assert!(
                begun.elapsed() < whole * 3 + Duration::from_secs(60),
                "{server:?} hangs after {what}"
            );
            thread::sleep(Duration::from_millis(10));
        }
        let run = run.wait();
        assert!(
            matches!(run.code, Some(0 | 3)),
            "{server:?}, after {what}: {:?}\n{}\n{}",
            run.code,
            run.stdout,
            run.stderr
        );
        if cutter.cuts() == 0 {
            continue;
        }
        tally.blow();
        case.project.env("DEV_DB_URL", cutter.url());
        // What was silenced still is: the server learns that its client is gone by waiting for it.
        let waits = if matches!(failure, Failure::Silence) {
            15
        } else {
            0
        };
        let limit = whole * 3 + Duration::from_secs(8 + waits);
        case.assert_converges_within(limit, &mut tally, &what);
    }
}

fn cut_in_every_way(server: Server) {
    cut(server, times(SILENCE, 50), 0);
}

#[test]
fn postgres() {
    cut_in_every_way(Server::Postgres);
}

#[test]
fn pgbouncer() {
    cut_in_every_way(Server::Pgbouncer);
}

#[test]
fn mariadb() {
    cut_in_every_way(Server::Mariadb);
}

/// It takes half a minute to see that nobody will ever answer.
#[test]
fn postgres_is_not_waited_for_without_end() {
    cut(Server::Postgres, 1, SILENCE);
}
