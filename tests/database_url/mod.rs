//! Whatever is accepted as PostgreSQL, libpq reads in the same way. libpq itself is asked, through a
//! small C program; building it needs `cc` and libpq's headers (`libpq-dev`).
#![allow(clippy::print_stdout)]

mod generator;
mod libpq;

use tenantgate::database_url::{self, Address, DatabaseUrl, EngineKind};

use generator::Generator;
use libpq::{Libpq, Reading};

const URLS: usize = 120_000;

/// The part that must be accepted, so that a parser that refuses all does not pass.
const ACCEPTED: usize = 30_000;

#[test]
fn libpq_reads_every_accepted_url_in_the_same_way() {
    let seed = match std::env::var("TENANTGATE_SEED") {
        Ok(text) => text.parse().expect("TENANTGATE_SEED is a number"),
        Err(_) => 20_250_607,
    };
    println!("seed {seed} (TENANTGATE_SEED sets it)");
    let libpq = Libpq::build();
    let mut generator = Generator::new(seed);
    let mut accepted = Vec::new();
    let mut refused = 0;
    for _ in 0..URLS {
        let text = generator.url();
        match database_url::parse(&text) {
            Ok(url) if url.kind == EngineKind::Postgres => accepted.push((text, url)),
            _ => refused += 1,
        }
    }
    println!("{URLS} URLs, {} accepted, {refused} refused", accepted.len());

    // What libpq does not know of schemes and parameters is taken away here, and not by the code that is
    // under test; its own version of the URL must be read alike.
    let plain: Vec<String> = accepted.iter().map(|(text, _)| libpq.strip(text)).collect();
    let own: Vec<String> = accepted
        .iter()
        .map(|(_, url)| url.libpq_url().expect("it is PostgreSQL").expose().to_owned())
        .collect();
    for (urls, what) in [(&plain, "as written"), (&own, "libpq_url")] {
        let readings = libpq.read(urls);
        assert_eq!(readings.len(), accepted.len());
        let differing: Vec<String> = accepted
            .iter()
            .zip(&readings)
            .filter(|((_, url), theirs)| Some(reading_of(url)) != **theirs)
            .map(|((text, url), theirs)| {
                format!("{text:?}\n  ours   {:?}\n  theirs {theirs:?}", reading_of(url))
            })
            .take(10)
            .collect();
        assert!(
            differing.is_empty(),
            "{what}, seed {seed}:\n{}",
            differing.join("\n")
        );
    }
    assert!(
        accepted.len() >= ACCEPTED,
        "only {} were accepted",
        accepted.len()
    );
    assert!(refused >= ACCEPTED, "only {refused} were refused");
}

/// The comparison itself must be able to fail.
#[test]
fn libpq_is_really_asked() {
    let libpq = Libpq::build();
    let readings = libpq.read(&[
        "postgresql://u:p@ss@h/d".to_owned(),
        "postgresql://u:p%40@h1,h2:2/d?x".to_owned(),
        "postgresql://u:p%40@h1,h2:2/d".to_owned(),
        "postgresql:///d?host=/x&port=7".to_owned(),
    ]);
    let tail_as_host = readings[0].as_ref().expect("libpq takes it");
    assert_eq!(tail_as_host.hosts, ["ss@h"]);
    assert_eq!(readings[1], None);
    let url = database_url::parse("postgresql://u:p%40@h1,h2:2/d").expect("it is valid");
    assert_eq!(readings[2], Some(reading_of(&url)));
    let socket = readings[3].as_ref().expect("libpq takes it");
    assert_eq!(
        (socket.hosts.as_slice(), socket.ports.as_slice()),
        (&["/x".to_owned()][..], &[7][..])
    );
    assert_eq!(
        libpq.strip("jdbc:postgresql://h/d?user=u&schema=x&password=p"),
        "postgresql://h/d?user=u&password=p"
    );
    assert_eq!(libpq.strip("pgsql://h/d?schema=x"), "postgresql://h/d");
}

fn reading_of(url: &DatabaseUrl) -> Reading {
    let host = |address: &Address| match address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Socket { path, .. } => path.to_str().expect("it was text").to_owned(),
    };
    let port = |address: &Address| match address {
        Address::Tcp { port, .. } | Address::Socket { port, .. } => *port,
    };
    Reading {
        hosts: url.addresses.iter().map(host).collect(),
        ports: url.addresses.iter().map(port).collect(),
        user: url.user.clone(),
        password: url.password.as_ref().map(|password| password.expose().to_owned()),
        database: Some(url.database.clone()),
    }
}
