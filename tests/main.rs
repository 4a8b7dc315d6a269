//! The integration tests: one crate, one module per area.

mod database_url;
