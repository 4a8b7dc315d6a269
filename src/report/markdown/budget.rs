//! Sections into a limited length, the most important first.

use super::super::words::counted;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Measure {
    Bytes,
    /// Never fewer than characters, and a third of the bytes at worst.
    Utf16,
}

impl Measure {
    pub(in crate::report) fn of(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// How much room there is, and where the rest can be read.
#[derive(Debug, Clone)]
pub(in crate::report) struct Budget {
    pub(in crate::report) limit: usize,
    pub(in crate::report) measure: Measure,
    /// `the JSON report has all of it`, `see [the run](https://…)`.
    pub(in crate::report) rest: String,
}

/// Something that is shown whole or not at all.
#[derive(Debug, Clone)]
pub(in crate::report) struct Item {
    /// Complete lines with all that they open closed.
    pub(in crate::report) text: String,
    /// How many tenants are gone with it.
    pub(in crate::report) tenants: usize,
}

impl Item {
    pub(in crate::report) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tenants: 0,
        }
    }

    pub(in crate::report) fn of(tenants: usize, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tenants,
        }
    }
}

/// A heading, its items, and what closes it.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Section {
    pub(in crate::report) head: String,
    pub(in crate::report) items: Vec<Item>,
    pub(in crate::report) tail: String,
}

impl Section {
    pub(in crate::report) fn collapsed(summary: &str) -> Self {
        Self {
            head: format!("<details><summary>{summary}</summary>\n\n"),
            items: Vec::new(),
            tail: "\n</details>\n\n".to_owned(),
        }
    }

    pub(in crate::report) fn open(summary: &str) -> Self {
        Self {
            head: format!("<details open><summary>{summary}</summary>\n\n"),
            ..Self::collapsed(summary)
        }
    }

    fn length(&self, measure: Measure) -> usize {
        let items = self.items.iter().map(|item| measure.of(&item.text));
        measure.of(&self.head) + measure.of(&self.tail) + items.sum::<usize>()
    }
}

/// More than the longest line that [`omission`] makes.
const OMISSION: usize = 80;

/// Sections in the order of their importance. A section that is too long gets three quarters of
/// what is left, so that a flood in one does not drown the others.
pub(in crate::report) fn assemble(first: &str, sections: &[Section], budget: &Budget) -> String {
    let Budget { limit, measure, rest } = budget;
    let cut_line = format!("_There was more than fits here; {rest}._\n");
    let reserved = measure.of(&cut_line);
    let mut used = measure.of(first);
    if used + reserved > *limit {
        return within(first, *limit, *measure).to_owned();
    }
    let mut out = first.to_owned();
    let mut cut = false;
    for section in sections {
        let left = limit - reserved - used;
        let length = section.length(*measure);
        if length <= left / 4 * 3 {
            out.push_str(&section.head);
            section.items.iter().for_each(|item| out.push_str(&item.text));
            out.push_str(&section.tail);
            used += length;
        } else {
            cut = true;
            let text = shortened(section, left / 4 * 3, *measure);
            used += measure.of(&text);
            out.push_str(&text);
        }
    }
    if cut {
        out.push_str(&cut_line);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Empty where not even one item fits.
fn shortened(section: &Section, room: usize, measure: Measure) -> String {
    let frame = measure.of(&section.head) + measure.of(&section.tail) + OMISSION;
    let Some(mut room) = room.checked_sub(frame) else {
        return String::new();
    };
    let mut text = section.head.clone();
    let mut shown = 0;
    for item in &section.items {
        let Some(left) = room.checked_sub(measure.of(&item.text)) else {
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

pub(in crate::report) fn omission(items: &[Item]) -> String {
    match items.iter().map(|item| item.tenants).sum() {
        0 => format!("_{} omitted_\n", counted(items.len(), "line")),
        tenants => format!("_{} omitted_\n", counted(tenants, "tenant")),
    }
}

/// Markdown as it is, or its first lines with all that they open closed.
pub(in crate::report) fn cut(text: &str, budget: &Budget) -> String {
    let Budget { limit, measure, rest } = budget;
    let note = format!("\n_There was more than fits here; {rest}._\n");
    let whole = measure.of(text) <= *limit;
    let room = if whole {
        *limit
    } else {
        limit.saturating_sub(measure.of(&note))
    };
    let mut open = Open::default();
    let mut used = 0;
    let mut out = String::new();
    let mut closers = String::new();
    for line in text.split_inclusive('\n') {
        open.read(line);
        let closing = open.closers();
        if !whole && used + measure.of(line) + measure.of(&closing) > room {
            break;
        }
        used += measure.of(line);
        out.push_str(line);
        closers = closing;
    }
    out.push_str(&closers);
    if !whole && !out.is_empty() {
        out.push_str(&note);
    }
    out
}

/// What the lines so far have begun and not ended.
#[derive(Default)]
struct Open {
    /// With its margin.
    fence: Option<String>,
    details: usize,
}

impl Open {
    fn read(&mut self, line: &str) {
        let inner = line.trim_start_matches(' ');
        let margin = line.len() - inner.len();
        let ticks = inner.len() - inner.trim_start_matches('`').len();
        let longest = self.fence.as_ref().map_or(3, |fence| fence.trim_start().len());
        let bare = inner.trim_end().len() == ticks;
        match &self.fence {
            Some(_) if ticks >= longest && bare => self.fence = None,
            // With another backtick on the line it is code.
            None if ticks >= longest && !inner[ticks..].contains('`') => {
                self.fence = Some(line[..margin + ticks].to_owned())
            }
            Some(_) => {}
            // Ours stand at the beginning of a line, where no text of others has a bare `<`.
            None if line.starts_with("<details") => self.details += 1,
            None if line.starts_with("</details>") => self.details = self.details.saturating_sub(1),
            None => {}
        }
    }

    fn closers(&self) -> String {
        let mut out = String::new();
        if let Some(fence) = &self.fence {
            out.push_str(&format!("{fence}\n"));
        }
        out.push_str(&"\n</details>\n".repeat(self.details));
        out
    }
}

/// The longest beginning that ends at a line, or else at a character.
pub(in crate::report) fn within(text: &str, limit: usize, measure: Measure) -> &str {
    let mut used = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        used += match measure {
            Measure::Bytes => c.len_utf8(),
            Measure::Utf16 => c.len_utf16(),
        };
        (used > limit).then_some(at)
    });
    let Some(end) = end else { return text };
    let text = &text[..end];
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

    fn bytes(limit: usize) -> Budget {
        Budget {
            limit,
            measure: Measure::Bytes,
            rest: "the JSON report has all of it".to_owned(),
        }
    }

    #[test]
    fn what_fits_is_whole() {
        let text = assemble("head\n", &[section(2)], &bytes(1_000));
        assert_eq!(
            text,
            "head\n<details><summary>rows</summary>\n\nrow 0\nrow 1\n\n</details>\n"
        );
    }

    #[test]
    fn every_limit_is_kept_and_everything_closed() {
        for limit in 0..3_000 {
            let text = assemble("head ✔\nmore\n", &[section(100), section(3)], &bytes(limit));
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
    fn markdown_is_cut_at_a_line_with_all_closed() {
        let text = "a\n\n<details><summary>x</summary>\n\n````sql\n```\n`<details>`\n````\n\n`````\u{20}\nb\n`````\n\n</details>\n";
        assert_eq!(cut(text, &bytes(text.len())), text);
        for limit in 0..text.len() {
            let cut = cut(text, &bytes(limit));
            assert!(cut.len() <= limit, "{limit}: {cut}");
            assert_eq!(
                cut.matches("\n<details>").count(),
                cut.matches("\n</details>").count(),
                "{limit}: {cut}"
            );
            assert_eq!(cut.matches("````").count() % 2, 0, "{limit}: {cut}");
            assert!(
                cut.is_empty() || cut.ends_with("has all of it._\n"),
                "{limit}: {cut}"
            );
        }
    }

    #[test]
    fn a_cut_says_how_much_is_gone() {
        let text = assemble("head\n", &[section(1_000)], &bytes(1_000));
        assert!(text.contains("tenants omitted_\n"), "{text}");
        assert!(text.contains("the JSON report has all of it"));
    }
}
