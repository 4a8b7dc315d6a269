//! Row-level security of a table.

/// In the order of its strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RowSecurity {
    #[default]
    Off,
    On,
    /// For its owner too.
    Forced,
}

impl RowSecurity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Forced => "forced",
        }
    }
}
