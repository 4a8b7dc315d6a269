//! GraphQL, for what REST does not tell.

use serde_json::Value;

use super::{Client, GithubError};

impl Client {
    pub async fn graphql(&self, query: &Value) -> Result<Value, GithubError> {
        self.post("/graphql", query).await
    }
}
