//! The commands, as their users call them.

mod actions;
mod fixtures;
mod help;
mod keygen;
mod outputs;
mod parts;
mod plan;
mod quickstart;
mod read_only;
mod relabel;
mod schemas;
mod url;
