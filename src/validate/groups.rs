//! Which are alike.

use std::collections::BTreeMap;

/// The indexes of the largest group of equal ones, in their order; of two that are equally large the one that
/// begins first. Empty where there are none.
pub fn largest<T: Ord>(items: &[T]) -> Vec<usize> {
    let mut groups: BTreeMap<&T, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        groups.entry(item).or_default().push(index);
    }
    let rank = |group: &Vec<usize>| (group.len(), std::cmp::Reverse(group[0]));
    groups.into_values().max_by_key(rank).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_group_is_found() {
        assert_eq!(largest(&["b", "a", "b"]), [0, 2]);
        assert_eq!(largest(&["b", "a"]), [0]);
        assert!(largest::<u8>(&[]).is_empty());
    }
}
