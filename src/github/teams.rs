//! Who is in a team.

use crate::settings::Team;

use super::{Client, GithubError};

/// Whether somebody is a member of the team, as far as the token may see that: to one that may not,
/// GitHub answers as if there were no such team.
///
/// <https://docs.github.com/rest/teams/members#get-team-membership-for-a-user>
pub async fn is_member(client: &Client, team: &Team, login: &str) -> Result<bool, GithubError> {
    let route = format!("/orgs/{}/teams/{}", team.organisation, team.slug);
    match client.get(&format!("{route}/memberships/{login}")).await {
        Ok(membership) => Ok(membership["state"] == "active"),
        // No member, or no such team to this token: it can see the team where it may ask.
        Err(error) if error.status() == Some(404) => client.get(&route).await.map(|_| false),
        Err(error) => Err(error),
    }
}
