//! The canary: with a marked value in every secret, no mark, no other form of it and no piece of it is
//! anywhere but in the export that was asked for.

mod detector;
mod echoes;
mod everywhere;
mod github;
mod names;
mod pasted;
mod scene;
mod urls;
