//! Jobs of one matrix as processes of their own.

use std::thread;
use std::time::Duration;

use tenantgate::domain::{Shard, TenantName};

use crate::engine::case::{Case, on_all_servers};
use crate::harness::{Run, Running, Server};

on_all_servers!(
    eight_shards_at_once_take_every_tenant_once,
    a_whole_run_and_shards_at_once_apply_everything_once,
    a_killed_shard_is_in_the_way_of_nothing_but_itself,
    nobody_migrates_tenants_before_the_shared_schema,
    a_canary_goes_before_every_shard,
);

const HEAD: [&str; 3] = ["0001_ran", "0002_items", "0003_items_total"];

fn shard_of(tenant: &str, number: u16) -> Shard {
    let name = TenantName::parse(tenant).unwrap();
    let mut all = Shard::all(number).unwrap().into_iter();
    all.find(|shard| shard.has(&name)).unwrap()
}

/// Nobody dies here, and a busy machine may keep a run from its heartbeat for a second.
fn patient(case: &Case) {
    case.project
        .replace("tenantgate.toml", "lease_ttl = \"1s\"", "lease_ttl = \"15s\"");
}

fn spawn(case: &Case, shard: Shard) -> Running {
    case.project.spawn(&["migrate", "--shard", &shard.to_string()])
}

fn shared(case: &Case) -> Run {
    let run = case.project.tenantgate(&["migrate", "--scope", "shared"]);
    run.assert_code(0);
    assert_eq!(run.report()["scope"], "shared");
    run
}

fn discovered(run: &Run) -> u64 {
    run.report()["tenants"]["discovered"].as_u64().unwrap()
}

fn eight_shards_at_once_take_every_tenant_once(server: Server) {
    let mut case = Case::new(server, 16);
    case.config("ensure = [\"boss\"]\nensure_sql = \"INSERT INTO tenants VALUES ({tenant}, 1)\"\n");
    patient(&case);
    case.tenants.push("boss".to_owned());
    case.tenant(4, "slow", &case.slow(0.2));
    shared(&case);
    let all = Shard::all(8).unwrap();
    let mut jobs: Vec<Running> = all.iter().map(|shard| spawn(&case, *shard)).collect();
    let mut together = 0;
    let live = format!("SELECT part FROM {}lease", case.ledger_prefix());
    while jobs.iter_mut().any(Running::is_running) {
        // The table may be locked for a moment, on SQLite.
        if let Ok(rows) = case.db.session().try_query(&live) {
            together = together.max(rows.len());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut found = 0;
    for (job, shard) in jobs.into_iter().zip(all) {
        let run = job.wait();
        run.assert_code(0);
        assert_eq!(run.report()["shard"], shard.to_string());
        let own = case
            .tenants
            .iter()
            .filter(|name| shard_of(name, 8) == shard)
            .count() as u64;
        // A shard that looked before the ensured tenant was there counts it all the same: it registers it.
        assert_eq!(discovered(&run), own, "{shard}");
        assert_eq!(run.report()["tenants"]["migrated"], own, "{shard}");
        found += own;
    }
    assert_eq!(found, 17);
    assert!(together >= 2, "{server:?}: never two at once");
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_slow"]);
    assert_eq!(case.leases(), 0);
    // What is left to a last run is to validate.
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["up_to_date"], 17);
}

fn a_whole_run_and_shards_at_once_apply_everything_once(server: Server) {
    for _ in 0..3 {
        let case = Case::new(server, 6);
        patient(&case);
        shared(&case);
        let mut jobs: Vec<Running> = vec![
            case.spawn(),
            case.project.spawn(&["migrate", "--scope", "tenant"]),
        ];
        jobs.extend(
            Shard::all(3)
                .unwrap()
                .into_iter()
                .map(|shard| spawn(&case, shard)),
        );
        jobs.push(spawn(&case, "1/2".parse().unwrap()));
        let mut migrated = 0;
        for job in jobs {
            let run = job.wait();
            run.assert_code(0);
            migrated += run.report()["tenants"]["migrated"].as_u64().unwrap();
        }
        assert_eq!(migrated, 6);
        case.assert_all_at_head(&HEAD);
        assert_eq!(case.leases(), 0);
    }
}

fn a_killed_shard_is_in_the_way_of_nothing_but_itself(server: Server) {
    let mut case = Case::new(server, 6);
    case.config("");
    // Long enough to tell who waits for it.
    case.project
        .replace("tenantgate.toml", "lease_ttl = \"1s\"", "lease_ttl = \"4s\"");
    case.tenant(4, "slow", &case.slow(1.0));
    shared(&case);
    let killed = shard_of("t01", 2);
    let other = Shard::all(2)
        .unwrap()
        .into_iter()
        .find(|it| *it != killed)
        .unwrap();
    let mut job = spawn(&case, killed);
    let held = format!(
        "SELECT count(*) FROM {}lease WHERE part = '{killed}'",
        case.ledger_prefix()
    );
    job.wait_until("it has its lease", || {
        case.db
            .session()
            .try_query(&held)
            .is_ok_and(|rows| rows[0][0].as_deref() == Some("1"))
    });
    let _ = job.kill();
    assert_eq!(case.leases(), 1, "the killed one's");
    let (again, beside) = (spawn(&case, killed), spawn(&case, other));
    let (again, beside) = (again.wait(), beside.wait());
    beside.assert_code(0);
    assert!(!beside.stderr.contains("waiting"), "{}", beside.stderr);
    again.assert_code(0);
    assert!(again.stderr.contains("waiting"), "{server:?}: {}", again.stderr);
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_slow"]);
    assert_eq!(case.leases(), 0);
}

fn nobody_migrates_tenants_before_the_shared_schema(server: Server) {
    let case = Case::new(server, 3);
    let early = case.project.tenantgate(&["migrate", "--shard", "1/2"]);
    early.assert_code(1);
    assert_eq!(early.check("rollout.shared")["status"], "failed");
    assert!(early.stdout.contains("--scope shared"), "{}", early.stdout);
    shared(&case);
    let dry = case
        .project
        .tenantgate(&["migrate", "--shard", "1/1", "--dry-run"]);
    dry.assert_code(0);
    assert_eq!(
        dry.report()["plan"]["tenants"][0]["tenants"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    for shard in Shard::all(2).unwrap() {
        spawn(&case, shard).wait().assert_code(0);
    }
    let again = spawn(&case, shard_of("t01", 2)).wait();
    again.assert_code(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    case.assert_all_at_head(&HEAD);
}

fn a_canary_goes_before_every_shard(server: Server) {
    let case = Case::new(server, 6);
    patient(&case);
    case.project.replace(
        "tenantgate.toml",
        "[rollout]\n",
        "[rollout]\ncanary = [\"t01\"]\n",
    );
    shared(&case);
    let its_own = shard_of("t01", 2);
    let mut all = Shard::all(2).unwrap().into_iter();
    let other = all.find(|it| *it != its_own).unwrap();
    let early = spawn(&case, other).wait();
    early.assert_code(1);
    assert_eq!(
        early.check("rollout.canary")["findings"][0]["message"],
        "is behind, and a canary goes before every shard"
    );
    assert_eq!(early.report()["outcomes"], serde_json::json!([]));
    case.project
        .tenantgate(&["migrate", "--tenant", "t01"])
        .assert_code(0);
    spawn(&case, other).wait().assert_code(0);
    spawn(&case, its_own).wait().assert_code(0);
    case.assert_all_at_head(&HEAD);
}
