//! Which pull requests a commit belongs to.

use tenantgate::github::GithubError;
use tenantgate::github::event::PullRequests;
use tenantgate::github::pulls::{Pulls, find};

use super::*;
use crate::github::fake::Fault;

fn look_up(scene: &Scene, commit: &str) -> Result<Pulls, GithubError> {
    let wanted = PullRequests::LookUp {
        commit: commit.to_owned(),
    };
    scene.block_on(find(&scene.client(), &wanted))
}

#[test]
fn a_merge_into_uat_is_about_the_pull_request_that_became_it() {
    let scene = Scene::new();
    {
        let mut state = scene.github.state();
        let merge = state.commit(&sha("merge"));
        let promotion = state.pull_request(8, &sha("promotion"));
        promotion.base_ref = "uat".to_owned();
        promotion.closed = true;
        promotion.merged = Some(merge.clone());
        // From uat to prod: the commit is its head.
        state.pull_request(9, &merge);
    }
    assert_eq!(look_up(&scene, &sha("merge")).unwrap().numbers, [8]);
}

#[test]
fn two_pull_requests_with_one_head_both_get_the_comment() {
    let scene = Scene::new();
    scene.github.pull_request(8, &sha("head"));
    let pulls = look_up(&scene, &sha("head")).unwrap();
    assert_eq!(pulls.numbers, [8, PULL]);
    assert_eq!(pulls.notes.len(), 1);
    assert!(pulls.notes[0].ends_with("belongs to 2 pull requests: all get the comment (#8, #7)"));
}

#[test]
fn the_one_that_counts_may_be_on_the_second_page() {
    let scene = Scene::new();
    {
        let mut state = scene.github.state();
        let commit = state.commit(&sha("deep"));
        for number in 100..250 {
            state
                .pull_request(number, &sha(&format!("other {number}")))
                .commits
                .push(commit.clone());
        }
        state.pull_request(300, &commit);
    }
    assert_eq!(look_up(&scene, &sha("deep")).unwrap().numbers, [300]);
}

#[test]
fn no_pull_request_and_no_such_commit_are_notes() {
    let scene = Scene::new();
    let commit = scene.github.state().commit(&sha("lonely"));
    let pulls = look_up(&scene, &commit).unwrap();
    assert_eq!(
        (pulls.numbers.len(), &pulls.notes[0]),
        (0, &format!("no pull request has commit {}", &commit[..7]))
    );
    let pulls = look_up(&scene, &sha("nowhere")).unwrap();
    assert!(
        pulls.notes[0].starts_with("GitHub does not know commit "),
        "{:?}",
        pulls.notes
    );
}

#[test]
fn what_the_event_says_is_not_asked_for() {
    let scene = Scene::new();
    let client = scene.client();
    let known = scene
        .block_on(find(&client, &PullRequests::Known(vec![PULL])))
        .unwrap();
    assert_eq!((known.numbers, known.notes.len()), (vec![PULL], 0));
    let none = PullRequests::None("a merge group has no pull request of its own".to_owned());
    let none = scene.block_on(find(&client, &none)).unwrap();
    assert_eq!(none.notes, ["a merge group has no pull request of its own"]);
    assert!(scene.github.requests().is_empty());
}

#[test]
fn a_refusal_is_the_callers_to_tell() {
    let scene = Scene::new();
    scene
        .github
        .fault(Fault::status(403).on("GET", "commits/*/pulls").for_ever());
    assert_eq!(look_up(&scene, &sha("head")).unwrap_err().status(), Some(403));
}
