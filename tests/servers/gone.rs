//! A server that goes away in the middle.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::harness::{Server, findings};

use super::fleet::Fleet;

/// Stands in front of a server until it is told to go.
struct Front {
    port: u16,
    gone: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Front {
    fn of(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            port: listener.local_addr().unwrap().port(),
            gone: Arc::default(),
            connections: Arc::default(),
        };
        let (gone, connections) = (front.gone.clone(), front.connections.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                if gone.load(Ordering::SeqCst) {
                    // With the listener goes the port: from here on it is refused.
                    return;
                }
                let client = client.unwrap();
                let server = TcpStream::connect(&server).unwrap();
                for (mut from, mut to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                connections.lock().unwrap().extend([client, server]);
            }
        });
        front
    }

    fn go(&self) {
        self.gone.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn the_other_servers_tenants_are_done_and_its_own_are_told() {
    let names: Vec<(String, &str)> = (0..24)
        .map(|n| (format!("t{n:02}"), ["", "eu", "us"][n % 3]))
        .collect();
    let names: Vec<(&str, &str)> = names.iter().map(|(name, on)| (name.as_str(), *on)).collect();
    let mut fleet = Fleet::with_tenants(Server::Postgres, &names);
    fleet.replace(
        "tenantgate.toml",
        "[rollout]\nconcurrency = 4\n",
        "[rollout]\nconcurrency = 1\nmax_failures = 3\nconnection_retries = 0\n",
    );
    let url = fleet.eu.url().to_owned();
    let address = url
        .rsplit_once('@')
        .unwrap()
        .1
        .split_once('/')
        .unwrap()
        .0
        .to_owned();
    let front = Front::of(address.clone());
    fleet.env(
        "DEV_EU_URL",
        url.replace(&address, &format!("127.0.0.1:{}", front.port)),
    );
    fleet.tenant(
        "0002_total.sql",
        "ALTER TABLE orders ADD COLUMN total int;\nSELECT pg_sleep(0.2);\n",
    );
    let mut run = fleet.spawn(&["run"]);
    run.wait_until("a tenant of eu is done", || super::reached(&fleet, "eu") > 0);
    front.go();
    let run = run.wait();
    run.assert_code(3);
    let found = findings(&run, "rollout.tenants");
    assert!(
        found
            .iter()
            .any(|it| it.contains("of server eu were not reached: it did not come back")),
        "{found:?}"
    );
    let count = |server: &str, state: &str| {
        let outcomes = Fleet::outcomes(&run);
        let end = format!(" {server} {state}");
        outcomes
            .iter()
            .filter(|it| it.ends_with(&end) && it.starts_with('t'))
            .count()
    };
    assert_eq!((count("-", "migrated"), count("us", "migrated")), (8, 8));
    assert!(count("eu", "not-reached") > 0 && count("eu", "failed") > 0);
    assert!(run.stdout.contains("(eu)"), "{}", run.stdout);

    fleet.env("DEV_EU_URL", url);
    fleet.tenantgate(&["run"]).assert_code(0);
    super::assert_all_in_place(&fleet, &names, 2);
}
