//! `tenantgate init` in repositories as they are found: what it writes loads, checks, and has no finding
//! by the linters.

mod cases;
mod refusals;
mod repository;
mod workflows;
