//! tenantgate turns a multi-tenant deployment checklist into a gate.

pub mod database_url;
pub mod domain;
pub mod engine;
pub mod migrations;
pub mod promotion;
pub mod report;
pub mod rollout;
pub mod secrets;
pub mod settings;
pub mod tenants;
pub mod validate;
