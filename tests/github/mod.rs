//! GitHub: a fake of its API, and what is left there when everything goes wrong.

pub mod fake;
mod gate;
