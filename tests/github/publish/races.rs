//! Runs that meet, answers that get lost: still one comment, with the newest word of each environment.

use tenantgate::github::comment::How;

use super::*;
use crate::github::fake::{ACTIONS_BOT, Fault};

#[test]
fn a_creation_whose_answer_is_lost_is_no_second_comment() {
    let scene = Scene::new();
    let client = scene.client();
    for round in 0..100 {
        scene.github.state().comments.clear();
        let fault = match round % 4 {
            0 => Fault::status(502),
            1 => Fault::status(500),
            2 => Fault::reset(),
            _ => Fault::broken_off(),
        };
        scene
            .github
            .fault(fault.on("POST", "issues/*/comments").after_work());
        let posted = scene.post(&client, "dev", 10 + round).unwrap();
        assert_eq!(posted.how, How::Created);
        assert_eq!(scene.bodies().len(), 1, "round {round}");
    }
}

#[test]
fn a_creation_that_was_not_done_is_done_again() {
    let scene = Scene::new();
    let client = scene.client();
    scene
        .github
        .fault(Fault::status(502).on("POST", "issues/*/comments").times(2));
    scene.post(&client, "dev", 10).unwrap();
    assert_eq!(scene.bodies().len(), 1);
    assert_eq!(scene.github.requests_to("POST", "issues/*/comments").len(), 3);
}

#[test]
fn a_server_that_never_says_whether_it_was_done_is_not_asked_for_ever() {
    let scene = Scene::new();
    let client = scene.client();
    scene
        .github
        .fault(Fault::status(502).on("POST", "issues/*/comments").for_ever());
    assert!(matches!(
        scene.post(&client, "dev", 10),
        Err(CommentError::Github(_))
    ));
    assert_eq!(scene.github.requests_to("POST", "issues/*/comments").len(), 3);
}

#[test]
fn two_runs_that_end_in_the_wrong_order_leave_the_newer_ones_text() {
    let scene = Scene::new();
    let client = scene.client();
    for round in 0..100 {
        let (older, newer) = (1_000 + 2 * round, 1_001 + 2 * round);
        scene.post(&client, "dev", newer).unwrap();
        let posted = scene.post(&client, "dev", older).unwrap();
        assert_eq!(posted.how, How::NewerStands);
        let bodies = scene.bodies();
        assert_eq!(bodies.len(), 1);
        assert!(
            bodies[0].contains(&format!("dev failed in run {newer}.")),
            "{}",
            bodies[0]
        );
        assert!(!bodies[0].contains(&format!("dev failed in run {older}.")));
    }
}

#[test]
fn two_runs_at_once_make_one_comment_with_the_words_of_both() {
    for round in 0..30 {
        let scene = Scene::new();
        let (one, other) = (scene.client(), scene.client());
        let (first, second) =
            scene.block_on(async { futures_util::join!(post(&one, "dev", 10), post(&other, "uat", 11)) });
        first.and(second).unwrap();
        let bodies = scene.bodies();
        assert_eq!(bodies.len(), 1, "round {round}");
        for said in ["dev failed in run 10.", "uat failed in run 11."] {
            assert!(bodies[0].contains(said), "round {round}: {said}\n{}", bodies[0]);
        }
    }
}

#[test]
fn five_runs_at_once_of_a_comment_that_is_there() {
    let scene = Scene::new();
    let clients: Vec<_> = (0..5).map(|_| scene.client()).collect();
    scene.post(&clients[0], "dev", 1).unwrap();
    let jobs = [("dev", 12), ("uat", 13), ("prod", 14), ("dev", 11), ("uat", 10)];
    let posted = scene.block_on(futures_util::future::join_all(
        clients
            .iter()
            .zip(jobs)
            .map(|(client, (environment, id))| post(client, environment, id)),
    ));
    for posted in posted {
        posted.unwrap();
    }
    let bodies = scene.bodies();
    assert_eq!(bodies.len(), 1);
    for said in [
        "dev failed in run 12.",
        "uat failed in run 13.",
        "prod failed in run 14.",
    ] {
        assert!(bodies[0].contains(said), "{said}\n{}", bodies[0]);
    }
}

#[test]
fn a_row_that_another_run_wrote_over_is_written_again() {
    let scene = Scene::new();
    let (one, other) = (scene.client(), scene.client());
    scene.post(&one, "dev", 1).unwrap();
    let before = scene.bodies().remove(0);
    // The other run read before we wrote, and writes after: our row is gone.
    let over = async {
        tokio::time::sleep(PAUSE / 2).await;
        scene.github.state().comments[0].body = before;
        post(&other, "uat", 11).await
    };
    let (first, second) = scene.block_on(async { futures_util::join!(post(&one, "dev", 10), over) });
    first.and(second).unwrap();
    let bodies = scene.bodies();
    assert!(bodies[0].contains("dev failed in run 10."), "{}", bodies[0]);
    assert!(bodies[0].contains("uat failed in run 11."), "{}", bodies[0]);
}

#[test]
fn a_list_that_does_not_show_the_new_comment_yet_makes_no_second_one() {
    let scene = Scene::new();
    let client = scene.client();
    // The second look, the one after the creation, comes from a server that lags behind.
    scene.github.state().comment(PULL, ACTIONS_BOT, "unrelated");
    let stale = scene
        .block_on(client.get("/repos/acme/shop/issues/7/comments"))
        .unwrap();
    let stale = stale.to_string();
    for _ in 0..2 {
        scene
            .github
            .fault(Fault::body(stale.as_bytes()).on("GET", "issues/*/comments"));
    }
    scene.post(&client, "dev", 10).unwrap();
    assert_eq!(scene.ours().len(), 2, "the unrelated one and ours");
    assert_eq!(scene.github.requests_to("POST", "issues/*/comments").len(), 1);
}
