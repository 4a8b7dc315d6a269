//! One comment, whoever asks and however often.

use tenantgate::github::comment::How;

use super::*;
use crate::github::fake::{ACTIONS_BOT, Fault};

#[test]
fn it_is_created_once_and_then_updated_in_place() {
    let scene = Scene::new();
    let client = scene.client();
    let first = scene.post(&client, "dev", 10).unwrap();
    assert_eq!(first.how, How::Created);
    assert!(
        first.url.contains("/acme/shop/pull/7#issuecomment-"),
        "{}",
        first.url
    );
    let second = scene.post(&client, "uat", 11).unwrap();
    assert_eq!((second.how, &second.url), (How::Updated, &first.url));
    let bodies = scene.bodies();
    assert_eq!(bodies.len(), 1);
    for said in ["dev failed in run 10.", "uat failed in run 11."] {
        assert!(bodies[0].contains(said), "{said}\n{}", bodies[0]);
    }
    insta::assert_debug_snapshot!(scene.github.trace());
}

#[test]
fn what_it_says_already_is_not_written() {
    let scene = Scene::new();
    let client = scene.client();
    scene.post(&client, "dev", 10).unwrap();
    scene.github.forget_requests();
    let again = scene.post(&client, "dev", 10).unwrap();
    assert_eq!(again.how, How::Unchanged);
    assert_eq!(scene.writes(), 0);
    assert_eq!(scene.github.requests().len(), 2, "who we are, and the list");
}

#[test]
fn it_is_found_on_page_four() {
    let scene = Scene::new();
    let client = scene.client();
    let chat = |count| {
        for number in 0..count {
            scene
                .github
                .state()
                .comment(PULL, "ann", &format!("remark {number}"));
        }
    };
    chat(350);
    let first = scene.post(&client, "dev", 10).unwrap();
    chat(150);
    scene.github.forget_requests();
    let second = scene.post(&client, "dev", 11).unwrap();
    assert_eq!((second.how, &second.url), (How::Updated, &first.url));
    assert_eq!(scene.ours().len(), 1);
    assert_eq!(scene.bodies().len(), 501);
    // The list took several requests, so the comment was looked at once more before it was written.
    assert_eq!(scene.github.requests_to("GET", "issues/comments/*").len(), 1);
    assert_eq!(scene.github.requests_to("PATCH", "issues/comments/*").len(), 1);
}

#[test]
fn the_comment_of_somebody_else_stays_untouched_whatever_it_begins_with() {
    let scene = Scene::new();
    let client = scene.client();
    scene.post(&client, "dev", 99).unwrap();
    let copy = scene.bodies().remove(0);
    {
        let mut state = scene.github.state();
        state.comments.clear();
        for author in ["mallory", "github-actions", "other-app[bot]"] {
            state.comment(PULL, author, &copy);
        }
    }
    // The pasted marker says run 99, and must not stop run 10 either.
    let posted = scene.post(&client, "dev", 10).unwrap();
    assert_eq!(posted.how, How::Created);
    let state = scene.github.state();
    let comments = state.comments_of(PULL);
    assert_eq!(comments.len(), 4);
    assert!(
        comments[..3]
            .iter()
            .all(|comment| comment.body == copy && comment.edits == 0)
    );
    assert!(comments[3].author == ACTIONS_BOT && comments[3].body.contains("dev failed in run 10."));
}

#[test]
fn another_projects_comment_is_another_comment() {
    let scene = Scene::new();
    let client = scene.client();
    scene.post(&client, "dev", 10).unwrap();
    let report = Report {
        project: "warehouse".into(),
        ..report("dev", 11)
    };
    let environments = environments();
    let posting = Posting {
        report: &report,
        run: run(11),
        environments: &environments,
        limit: LIMIT,
    };
    let posted = scene.block_on(upsert_at(&client, PULL, posting, PAUSE)).unwrap();
    assert_eq!(posted.how, How::Created);
    assert_eq!(scene.ours().len(), 2);
}

#[test]
fn duplicates_become_one_that_knows_what_all_knew() {
    let scene = Scene::new();
    let client = scene.client();
    let mut copies = Vec::new();
    for (environment, id) in [("dev", 10), ("uat", 12), ("dev", 11)] {
        scene.post(&client, environment, id).unwrap();
        copies.extend(scene.bodies());
        scene.github.state().comments.clear();
    }
    for copy in &copies {
        scene.github.state().comment(PULL, ACTIONS_BOT, copy);
    }
    let oldest = scene.github.state().comments[0].id;
    let posted = scene.post(&client, "prod", 13).unwrap();
    assert_eq!(posted.notes.len(), 2, "{:?}", posted.notes);
    let bodies = scene.bodies();
    assert_eq!(bodies.len(), 1);
    assert_eq!(scene.github.state().comments[0].id, oldest);
    for said in [
        "dev failed in run 11.",
        "uat failed in run 12.",
        "prod failed in run 13.",
    ] {
        assert!(bodies[0].contains(said), "{said}\n{}", bodies[0]);
    }
    assert!(!bodies[0].contains("dev failed in run 10."));
}

#[test]
fn an_older_run_removes_duplicates_and_says_nothing() {
    let scene = Scene::new();
    let client = scene.client();
    scene.post(&client, "dev", 20).unwrap();
    let copy = scene.bodies().remove(0);
    scene.github.state().comment(PULL, ACTIONS_BOT, &copy);
    let posted = scene.post(&client, "dev", 10).unwrap();
    assert_eq!(posted.how, How::NewerStands);
    assert_eq!(scene.bodies(), [copy]);
}

#[test]
fn one_that_is_deleted_meanwhile_is_created_again() {
    let scene = Scene::new();
    let client = scene.client();
    scene.post(&client, "dev", 10).unwrap();
    // It goes between the look and the write.
    let look = scene
        .block_on(client.get("/repos/acme/shop/issues/7/comments"))
        .unwrap();
    scene
        .github
        .fault(Fault::body(look.to_string().as_bytes()).on("GET", "issues/*/comments"));
    scene.github.state().comments.clear();
    let posted = scene.post(&client, "dev", 11).unwrap();
    assert_eq!(posted.how, How::Created);
    let bodies = scene.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].contains("dev failed in run 11."));
}

#[test]
fn one_whose_marker_cannot_be_read_any_more_is_written_anew() {
    let scene = Scene::new();
    let client = scene.client();
    scene.post(&client, "dev", 10).unwrap();
    {
        let mut state = scene.github.state();
        let body = &mut state.comments[0].body;
        let end = body.find(" -->").unwrap();
        body.replace_range(end - 20..end, "%%%");
    }
    let posted = scene.post(&client, "dev", 11).unwrap();
    assert_eq!(posted.how, How::Updated);
    let bodies = scene.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].contains("dev failed in run 11."));
}

#[test]
fn a_person_and_an_app_have_comments_of_their_own() {
    let scene = Scene::new();
    for login in ["ann", "our-gate[bot]"] {
        let token = scene.github.token_of(login, Permissions::job());
        let client = scene.client_of(&token);
        assert_eq!(scene.post(&client, "dev", 10).unwrap().how, How::Created);
        assert_eq!(scene.post(&client, "dev", 11).unwrap().how, How::Updated);
        let state = scene.github.state();
        let theirs = state.comments.iter().filter(|comment| comment.author == login);
        assert_eq!(theirs.count(), 1, "{login}");
    }
}

#[test]
fn without_graphql_it_is_one_comment_all_the_same() {
    for login in ["ann", "our-gate[bot]", ACTIONS_BOT] {
        let scene = Scene::new();
        scene
            .github
            .fault(Fault::status(404).on("POST", "graphql").for_ever());
        let token = scene.github.token_of(login, Permissions::job());
        let client = scene.client_of(&token);
        for id in 10..13 {
            scene.post(&client, "dev", id).unwrap();
        }
        let bodies = scene.bodies();
        assert_eq!(bodies.len(), 1, "{login}");
        assert!(bodies[0].contains("dev failed in run 12."));
    }
}

#[test]
fn an_enterprise_server_has_graphql_beside_its_api() {
    let scene = Scene::on(Fake::enterprise());
    let client = scene.client();
    scene.post(&client, "dev", 10).unwrap();
    scene.post(&client, "dev", 11).unwrap();
    assert_eq!(scene.bodies().len(), 1);
    assert_eq!(scene.github.requests_to("POST", "graphql").len(), 2);
}

#[test]
fn a_flood_from_every_environment_fits_and_settles() {
    let scene = Scene::new();
    let client = scene.client();
    let environments = environments();
    for (id, environment) in [(10, "dev"), (11, "uat"), (12, "prod"), (13, "dev")] {
        let finding = |number: usize| {
            let tenant = tenantgate::domain::TenantName::parse(&format!("t{number}")).unwrap();
            let hostile = "`|<b>@ann #1 <!-- tenantgate --> ```\n</details> é🚀 ".repeat(40);
            Finding::error(format!("{number} {hostile}")).tenant(&tenant)
        };
        let report = report_with(environment, id, (0..3_000).map(finding).collect());
        let posting = Posting {
            report: &report,
            run: run(id),
            environments: &environments,
            limit: LIMIT,
        };
        scene.github.forget_requests();
        scene.block_on(upsert_at(&client, PULL, posting, PAUSE)).unwrap();
        assert!(scene.writes() <= 2, "{environment}: {} writes", scene.writes());
        scene.github.forget_requests();
        let again = scene.block_on(upsert_at(&client, PULL, posting, PAUSE)).unwrap();
        assert_eq!((again.how, scene.writes()), (How::Unchanged, 0), "{environment}");
    }
    let bodies = scene.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].chars().count() <= LIMIT);
}
