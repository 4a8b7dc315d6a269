//! The same SQL with nothing around it: no ledger, no lease, no report; as many connections, a transaction
//! a tenant, one message each.

use std::cell::RefCell;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, raw_sql};

use crate::fleet::Fleet;
use crate::harness::Server;

/// How long it takes to send each tenant its text. `create`: its place is made first.
pub fn run(fleet: &Fleet, connections: usize, create: bool, sql: &str) -> Duration {
    let texts: Vec<String> = fleet
        .tenants
        .iter()
        .map(|name| text(fleet, name, create, sql))
        .collect();
    let url = fleet.db.url();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let begun = Instant::now();
    let queue = RefCell::new(texts.into_iter());
    let worker = || async {
        match fleet.server {
            Server::Postgres => {
                let options = PgConnectOptions::from_str(url)
                    .unwrap()
                    .statement_cache_capacity(0);
                let mut connection = options.connect().await.unwrap();
                while let Some(text) = next(&queue) {
                    connection.execute(raw_sql(AssertSqlSafe(text))).await.unwrap();
                }
            }
            Server::Mariadb => {
                let options = MySqlConnectOptions::from_str(url)
                    .unwrap()
                    .statement_cache_capacity(0);
                let mut connection = options.connect().await.unwrap();
                while let Some(text) = next(&queue) {
                    connection.execute(raw_sql(AssertSqlSafe(text))).await.unwrap();
                }
            }
            other => panic!("no bare loop for {other:?}"),
        }
    };
    runtime.block_on(join_all((0..connections).map(|_| worker())));
    begun.elapsed()
}

fn next(queue: &RefCell<impl Iterator<Item = String>>) -> Option<String> {
    queue.borrow_mut().next()
}

fn text(fleet: &Fleet, tenant: &str, create: bool, sql: &str) -> String {
    let place = fleet.db.location(tenant);
    match fleet.server {
        Server::Mariadb => {
            let create = if create {
                format!("CREATE DATABASE `{place}`;")
            } else {
                String::new()
            };
            format!("{create}USE `{place}`;{sql}")
        }
        _ => {
            let create = if create {
                format!("CREATE SCHEMA \"{place}\";")
            } else {
                String::new()
            };
            format!("BEGIN;{create}SET LOCAL search_path = \"{place}\";{sql}COMMIT")
        }
    }
}
