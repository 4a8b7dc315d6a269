//! What the figures were taken on.

use std::fs;
use std::thread;

use crate::Asked;
use crate::fleet::Fleet;
use crate::harness::Server;

pub fn machine(asked: &Asked) {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |it| it.trim_start_matches([' ', '\t', ':']));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("machine: {cores} cores of {model}, Linux {}", kernel.trim());
    if asked.percent != 100 {
        println!("ONLY A TRIAL: {} % of the sizes that count", asked.percent);
    }
    load();
}

/// Others at work on the same machine make every figure worse.
pub fn load() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let last: Vec<&str> = load.split(' ').take(3).collect();
    println!("load average: {}", last.join(", "));
}

/// Who answers, and whether it waits for the disk.
pub fn server(fleet: &Fleet) {
    match fleet.server {
        Server::Postgres | Server::Pgbouncer => {
            let show = |name: &str| fleet.db.query_value(&format!("SHOW {name}"));
            let names = [
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "shared_buffers",
                "work_mem",
            ];
            let settings: Vec<String> = names
                .iter()
                .map(|name| format!("{name} {}", show(name)))
                .collect();
            println!(
                "server: PostgreSQL {}: {}",
                show("server_version"),
                settings.join(", ")
            );
            durable(show("fsync") == "on");
        }
        Server::Mariadb => {
            let version = fleet.db.query_value("SELECT version()");
            let flush = fleet.db.query_value("SELECT @@innodb_flush_log_at_trx_commit");
            let pool = fleet
                .db
                .query_value("SELECT @@innodb_buffer_pool_size DIV 1048576");
            println!(
                "server: MariaDB {version}: innodb_flush_log_at_trx_commit {flush}, buffer pool {pool} MB"
            );
            durable(flush == "1");
        }
        Server::Sqlite => println!(
            "server: none, SQLite {}",
            fleet.db.query_value("SELECT sqlite_version()")
        ),
    }
}

fn durable(durable: bool) {
    if !durable {
        println!(
            "NOT DURABLE: this server does not wait for the disk; start it with tests/run exec --durable"
        );
    }
}
