//! From the text to the value. What was edited by hand or merged badly is refused with its line.

use std::collections::BTreeSet;

use crate::database_url::EngineKind;
use crate::domain::{Fact, Object, ObjectKind, Structure};

use super::render::{COLON, has_parts};
use super::{FORMAT, KINDS, Snapshot};

/// Why a text is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SnapshotError {
    /// From 1.
    pub line: usize,
    pub message: String,
}

fn wrong<T>(line: usize, message: impl Into<String>) -> Result<T, SnapshotError> {
    let message = message.into();
    Err(SnapshotError { line, message })
}

const CONFLICT: [&str; 4] = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];

/// Reads the whole file. Line ends may be those of Windows.
pub fn parse(text: &str) -> Result<Snapshot, SnapshotError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let marked = |line: &&str| CONFLICT.iter().any(|mark| line.starts_with(mark));
    if let Some(at) = lines.iter().position(marked) {
        return wrong(at + 1, "a merge left its conflict here");
    }
    let mut reader = Reader::default();
    for (at, line) in lines.iter().enumerate() {
        reader.line(at + 1, line)?;
    }
    reader.end(lines.len().max(1))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Shared,
    Tenant,
}

/// A text that goes on over lines.
struct Block {
    line: usize,
    fact: Fact,
    lines: Vec<String>,
}

#[derive(Default)]
struct Reader {
    version: bool,
    kind: Option<EngineKind>,
    part: Option<Part>,
    /// Which of the two have begun.
    seen: Vec<Part>,
    ended: bool,
    shared: Structure,
    tenant: Structure,
    /// The table that what is indented belongs to.
    table: Option<String>,
    /// What the next attributes are of, and how far they are indented.
    object: Option<(Object, usize)>,
    /// The part's objects, and the last one's attributes.
    objects: BTreeSet<Object>,
    attributes: BTreeSet<String>,
    /// The attribute before.
    last: Option<String>,
    block: Option<Block>,
}

impl Reader {
    fn line(&mut self, at: usize, line: &str) -> Result<(), SnapshotError> {
        let bare = line.trim_start_matches(' ');
        if self.block.is_some() {
            if let Some(rest) = bare.strip_prefix('|') {
                return self.block_line(at, rest);
            }
            self.close_block()?;
        }
        if bare.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let indent = line.len() - bare.len();
        if self.kind.is_none() {
            return self.header(at, bare.trim_end());
        }
        match (indent, bare.trim_end()) {
            _ if self.ended => wrong(at, "nothing stands behind `[end]`"),
            (0, "[end]") => {
                self.ended = true;
                Ok(())
            }
            (0, "[shared]") => self.begin(at, Part::Shared),
            (0, "[tenant]") => self.begin(at, Part::Tenant),
            _ if self.part.is_none() => wrong(at, "`[shared]` or `[tenant]` comes first"),
            (0, text) => self.top(at, text),
            (2 | 4, text) => match split(text) {
                Some((attribute, value)) => self.attribute(at, indent, attribute, value),
                None if indent == 2 => self.part_of_table(at, text),
                None => wrong(at, "here an attribute is expected: `name: text`"),
            },
            _ => wrong(at, "lines are indented by 2 or by 4 blanks"),
        }
    }

    fn header(&mut self, at: usize, text: &str) -> Result<(), SnapshotError> {
        if !self.version {
            let number = text.strip_prefix("tenantgate snapshot ");
            return match number.and_then(|it| it.parse::<u32>().ok()) {
                Some(FORMAT) => {
                    self.version = true;
                    Ok(())
                }
                Some(other) => wrong(
                    at,
                    format!("it is of form {other}, and this version reads form {FORMAT}"),
                ),
                None => wrong(
                    at,
                    format!("it does not begin with `tenantgate snapshot {FORMAT}`"),
                ),
            };
        }
        let engine = text.strip_prefix("engine ").unwrap_or_default();
        self.kind = KINDS
            .iter()
            .find(|(_, word)| *word == engine)
            .map(|(kind, _)| *kind);
        match self.kind {
            Some(_) => Ok(()),
            None => wrong(
                at,
                "here the engine is expected: `engine postgres`, `mysql` or `sqlite`",
            ),
        }
    }

    fn begin(&mut self, at: usize, part: Part) -> Result<(), SnapshotError> {
        if self.seen.contains(&part) {
            return wrong(at, "this part is there twice");
        }
        self.seen.push(part);
        self.part = Some(part);
        (self.table, self.object, self.last) = (None, None, None);
        self.objects.clear();
        Ok(())
    }

    /// An object that stands alone, or a table that is none.
    fn top(&mut self, at: usize, text: &str) -> Result<(), SnapshotError> {
        if let Some(table) = text.strip_prefix("on ") {
            self.table = Some(name(at, table)?);
            (self.object, self.last) = (None, None);
            return Ok(());
        }
        let (kind, own) = object(at, text)?;
        self.table = has_parts(kind).then(|| own.clone());
        self.enter(at, kind, String::new(), own, 2)
    }

    fn part_of_table(&mut self, at: usize, text: &str) -> Result<(), SnapshotError> {
        let Some(table) = self.table.clone() else {
            return wrong(at, "it is indented, and there is no table above it");
        };
        let (kind, own) = object(at, text)?;
        self.enter(at, kind, table, own, 4)
    }

    fn enter(
        &mut self,
        at: usize,
        kind: ObjectKind,
        table: String,
        name: String,
        indent: usize,
    ) -> Result<(), SnapshotError> {
        let object = Object { kind, table, name };
        if !self.objects.insert(object.clone()) {
            return wrong(at, "this object is there twice");
        }
        self.object = Some((object, indent));
        self.last = None;
        self.attributes.clear();
        Ok(())
    }

    fn attribute(
        &mut self,
        at: usize,
        indent: usize,
        attribute: &str,
        value: &str,
    ) -> Result<(), SnapshotError> {
        let Some((object, _)) = self.object.clone().filter(|(_, own)| *own == indent) else {
            return wrong(at, "this attribute is of no object above it");
        };
        let (again, attribute) = match attribute.strip_prefix("+ ") {
            Some(attribute) => (true, attribute),
            None => (false, attribute),
        };
        let attribute = name(at, attribute)?;
        if !self.attributes.insert(attribute.clone()) && !again {
            return wrong(at, format!("`{attribute}` of this object is there twice"));
        }
        if again && self.last.as_deref() != Some(attribute.as_str()) {
            return wrong(
                at,
                format!("`+ {attribute}` follows another text of `{attribute}`"),
            );
        }
        self.last = Some(attribute.clone());
        let fact = |text| Fact {
            object,
            attribute,
            text,
        };
        if value == "|" {
            self.block = Some(Block {
                line: at,
                fact: fact(String::new()),
                lines: Vec::new(),
            });
            return Ok(());
        }
        let fact = fact(unquoted(at, value)?);
        self.keep(at, fact)
    }

    fn block_line(&mut self, at: usize, rest: &str) -> Result<(), SnapshotError> {
        let text = rest.strip_prefix(' ').unwrap_or(rest);
        let text = if text.starts_with('"') {
            unquoted(at, text)?
        } else {
            text.trim_end().to_owned()
        };
        if let Some(block) = &mut self.block {
            block.lines.push(text);
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<(), SnapshotError> {
        let Some(Block {
            line,
            mut fact,
            lines,
        }) = self.block.take()
        else {
            return Ok(());
        };
        if lines.len() < 2 {
            return wrong(line, "a text over lines has at least two, each behind a `|`");
        }
        fact.text = lines.join("\n");
        self.keep(line, fact)
    }

    fn keep(&mut self, at: usize, fact: Fact) -> Result<(), SnapshotError> {
        let structure = match self.part {
            Some(Part::Tenant) => &mut self.tenant,
            _ => &mut self.shared,
        };
        if structure.facts.insert(fact) {
            Ok(())
        } else {
            wrong(at, "this is there twice")
        }
    }

    fn end(mut self, last: usize) -> Result<Snapshot, SnapshotError> {
        self.close_block()?;
        let Some(kind) = self.kind else {
            return wrong(last, "it ends before it has said of which engine it is");
        };
        for (part, title) in [(Part::Shared, "[shared]"), (Part::Tenant, "[tenant]")] {
            if !self.seen.contains(&part) {
                return wrong(last, format!("it ends without `{title}`"));
            }
        }
        if !self.ended {
            return wrong(last, "it is cut off: `[end]` is missing");
        }
        Ok(Snapshot {
            kind,
            shared: self.shared,
            tenant: self.tenant,
        })
    }
}

/// An attribute and its text.
fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(COLON)
}

/// A kind and a name.
fn object(at: usize, text: &str) -> Result<(ObjectKind, String), SnapshotError> {
    let rest = |kind: &ObjectKind| -> Option<String> {
        let rest = text.strip_prefix(kind.as_str())?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start().to_owned())
    };
    // The longest: one kind's words may be the beginning of another's.
    let kinds = ObjectKind::ALL
        .iter()
        .filter_map(|kind| Some((*kind, rest(kind)?)));
    match kinds.max_by_key(|(kind, _)| kind.as_str().len()) {
        Some((kind, own)) if own.is_empty() => Ok((kind, own)),
        Some((kind, own)) => Ok((kind, name(at, &own)?)),
        None => wrong(
            at,
            "here an object is expected: its kind, which this version knows, and its name",
        ),
    }
}

fn name(at: usize, text: &str) -> Result<String, SnapshotError> {
    unquoted(at, text)
}

fn unquoted(at: usize, text: &str) -> Result<String, SnapshotError> {
    if !text.starts_with('"') {
        return Ok(text.to_owned());
    }
    match serde_json::from_str(text) {
        Ok(text) => Ok(text),
        Err(_) => wrong(
            at,
            "what begins with a quote is written as in JSON, and this is not",
        ),
    }
}
