//! Single changes to one tenant: what each does, and what must be said of it.

mod others;
mod parts;
mod tables;

/// SQL, what the finding says, and whether the SQL that it carries undoes it.
pub type Mutation = (&'static str, &'static str, bool);

const YES: bool = true;
/// Would lose data, or no SQL would do: a person must.
const BY_HAND: bool = false;

pub fn all() -> Vec<Mutation> {
    [tables::TABLES, parts::PARTS, others::OTHERS].concat()
}
