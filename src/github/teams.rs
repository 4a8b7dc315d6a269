//! Who is in a team.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::settings::Team;

use super::{Client, GithubError};

/// Whether somebody is a member of the team, as far as the token can see.
///
/// <https://docs.github.com/rest/teams/members#get-team-membership-for-a-user>
pub async fn is_member(client: &Client, team: &Team, login: &str) -> Result<bool, GithubError> {
    let login = utf8_percent_encode(login, NON_ALPHANUMERIC);
    let route = format!(
        "/orgs/{}/teams/{}/memberships/{login}",
        team.organisation, team.slug
    );
    match client.get(&route).await {
        // Who was invited and has not come yet is `pending`.
        Ok(membership) => Ok(membership["state"] == "active"),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error),
    }
}
