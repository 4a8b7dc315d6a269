//! tenantgate turns a multi-tenant deployment checklist into a gate.

pub mod database_url;
pub mod domain;
pub mod report;
pub mod settings;
