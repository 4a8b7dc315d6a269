//! What a policy's expression lets through, as far as its text shows it.

/// True of every row, as far as that is plain: `true`, `… OR true`, `x = x`, the tenant column `IS NOT NULL`.
pub(super) fn always_true(text: &str, key: &str) -> bool {
    let plain = without_texts(text);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let is = |index: usize, these: &[&str]| words.get(index).is_none_or(|it| these.contains(it));
    // A part of its own, and not what something is compared with.
    let or_true = words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1);
        let begins = before.is_none_or(|before| is(before, &["(", "or"]));
        let joined = before.is_some_and(|before| words[before] == "or") || words.get(at + 1) == Some(&"or");
        *word == "true" && joined && begins && is(at + 1, &[")", "or"])
    });
    let whole = bare(&plain);
    let itself = text
        .split_once(" = ")
        .is_some_and(|(left, right)| bare(&left.to_lowercase()) == bare(&right.to_lowercase()));
    or_true
        || itself
        || matches!(whole.as_str(), "true" | "not false")
        || whole == format!("{} is not null", key.to_lowercase())
}

/// True where one of these columns stands in it, and not only within a string.
pub(super) fn names(text: &str, columns: &[&str]) -> bool {
    let plain = without_texts(text);
    let mut words = plain.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '$')));
    // A name that is more than a word is looked for as it is.
    words.any(|word| columns.iter().any(|it| it.to_lowercase() == word))
        || columns.iter().any(|it| text.contains(&format!("\"{it}\"")))
}

/// In lower case, with nothing in quotes, and brackets as words.
fn without_texts(text: &str) -> String {
    let mut inside = false;
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\'' => inside = !inside,
            _ if inside => {}
            '(' | ')' => plain.extend([' ', letter, ' ']),
            _ => plain.extend(letter.to_lowercase()),
        }
    }
    plain
}

fn bare(text: &str) -> String {
    let open = text.replace(['(', ')'], " ");
    open.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_outside_of_strings() {
        assert!(names("(n.tenant_id = current_tenant())", &["tenant_id"]));
        assert!(names("owns(\"Org Id\")", &["Org Id"]));
        assert!(!names(
            "(current_setting('app.tenant_id'::text) IS NOT NULL)",
            &["tenant_id"]
        ));
        assert!(!names("(tenant_id_of_old > 0)", &["tenant_id"]));
    }

    #[test]
    fn what_is_true_of_every_row_is_seen() {
        for text in [
            "true",
            "(true)",
            "(1 = 1)",
            "('a'::text = 'a'::text)",
            "((tenant_id = current_tenant()) OR true)",
            "(true OR (tenant_id = current_tenant()))",
            "(tenant_id = tenant_id)",
            "(tenant_id IS NOT NULL)",
            "(NOT false)",
        ] {
            assert!(always_true(text, "tenant_id"), "{text}");
        }
        for text in [
            "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)",
            "(tenant_id = current_setting('or true'::text))",
            "((NOT hidden) AND (tenant_id = current_tenant()))",
            "(is_open = true)",
            "((is_open = true) OR (tenant_id = current_tenant()))",
            "(title IS NOT NULL)",
            "(EXISTS ( SELECT 1 FROM members m WHERE (m.tenant_id = m.tenant_id)))",
        ] {
            let told = always_true(text, "tenant_id");
            assert!(!told, "{text}");
        }
    }
}
