//! Sections into a limited number of bytes, the most important first.

use super::super::words::counted;

/// Something that is shown whole or not at all.
pub(super) struct Item {
    /// Complete lines with all that they open closed.
    pub(super) text: String,
    /// How many tenants are gone with it.
    pub(super) tenants: usize,
}

impl Item {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tenants: 0,
        }
    }

    pub(super) fn of(tenants: usize, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tenants,
        }
    }
}

/// A heading, its items, and what closes it.
#[derive(Default)]
pub(super) struct Section {
    pub(super) head: String,
    pub(super) items: Vec<Item>,
    pub(super) tail: String,
}

impl Section {
    pub(super) fn collapsed(summary: &str) -> Self {
        Self {
            head: format!("<details><summary>{summary}</summary>\n\n"),
            items: Vec::new(),
            tail: "\n</details>\n\n".to_owned(),
        }
    }

    fn len(&self) -> usize {
        self.head.len() + self.tail.len() + self.items.iter().map(|item| item.text.len()).sum::<usize>()
    }
}

const CUT: &str = "_There was more than fits here; the JSON report has all of it._\n";
/// More than the longest line that [`omission`] makes.
const OMISSION: usize = 80;

/// Sections in the order of their importance, in at most `limit` bytes. A section that is too long
/// gets three quarters of what is left, so that a flood in one does not drown the others.
pub(super) fn assemble(first: &str, sections: Vec<Section>, limit: usize) -> String {
    let mut out = String::new();
    if first.len() + CUT.len() > limit {
        return within(first, limit).to_owned();
    }
    out.push_str(first);
    let mut cut = false;
    for section in sections {
        let left = limit - CUT.len() - out.len();
        if section.len() <= left / 4 * 3 {
            out.push_str(&section.head);
            section.items.iter().for_each(|item| out.push_str(&item.text));
            out.push_str(&section.tail);
        } else {
            cut = true;
            out.push_str(&shortened(&section, left / 4 * 3));
        }
    }
    if cut {
        out.push_str(CUT);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Empty where not even one item fits.
fn shortened(section: &Section, room: usize) -> String {
    let frame = section.head.len() + section.tail.len() + OMISSION;
    let Some(mut room) = room.checked_sub(frame) else {
        return String::new();
    };
    let mut text = section.head.clone();
    let mut shown = 0;
    for item in &section.items {
        let Some(left) = room.checked_sub(item.text.len()) else {
            break;
        };
        room = left;
        text.push_str(&item.text);
        shown += 1;
    }
    if shown == 0 {
        return String::new();
    }
    let omitted = &section.items[shown..];
    format!("{text}\n{}\n{}", omission(omitted), section.tail)
}

pub(super) fn omission(items: &[Item]) -> String {
    match items.iter().map(|item| item.tenants).sum() {
        0 => format!("_{} omitted_\n", counted(items.len(), "line")),
        tenants => format!("_{} omitted_\n", counted(tenants, "tenant")),
    }
}

/// The longest beginning that ends at a line, or else at a character.
fn within(text: &str, limit: usize) -> &str {
    let text = &text[..text.floor_char_boundary(limit)];
    text.rfind('\n').map_or(text, |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(items: usize) -> Section {
        let items = (0..items).map(|n| Item::of(1, format!("row {n}\n"))).collect();
        Section {
            items,
            ..Section::collapsed("rows")
        }
    }

    #[test]
    fn what_fits_is_whole() {
        let text = assemble("head\n", vec![section(2)], 1_000);
        assert_eq!(
            text,
            "head\n<details><summary>rows</summary>\n\nrow 0\nrow 1\n\n</details>\n"
        );
    }

    #[test]
    fn every_limit_is_kept_and_everything_closed() {
        for limit in 0..3_000 {
            let text = assemble("head ✔\nmore\n", vec![section(100), section(3)], limit);
            assert!(text.len() <= limit, "{limit}");
            assert_eq!(
                text.matches("<details>").count(),
                text.matches("</details>").count(),
                "{limit}"
            );
            assert!(
                text.is_empty() || text.ends_with('\n') || limit < 9,
                "{limit}: {text}"
            );
        }
    }

    #[test]
    fn a_cut_says_how_much_is_gone() {
        let text = assemble("head\n", vec![section(1_000)], 1_000);
        assert!(text.contains("tenants omitted_\n"), "{text}");
        assert!(text.contains(CUT));
    }
}
