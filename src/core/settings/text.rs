//! The keys and values of a text in YAML, of which JSON is a part.

use super::value::Value;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use zeroize::Zeroizing;

/// A key, below another one as "secure.cert", and what it has.
pub struct Entry {
    pub line: usize,
    pub key: String,
    pub value: Value,
}

type Result<T> = std::result::Result<T, String>;

/// The entries, in their order. What is null is left out.
pub fn entries(text: &str) -> Result<Vec<Entry>> {
    let mut reader = Reader { parser: Parser::new_from_str(text), entries: Vec::new() };
    reader.document()?;
    Ok(reader.entries)
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    entries: Vec<Entry>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize)> {
        match self.parser.next() {
            Some(Ok((event, Span { start, .. }))) => Ok((event, start.line())),
            // Its text names characters that are out of place, not what was written.
            Some(Err(error)) => Err(format!("line {}: neither YAML nor JSON: {}", error.marker().line(), error.info())),
            None => Err("it ends too early".into()),
        }
    }

    fn document(&mut self) -> Result<()> {
        self.next()?;
        match self.next()? {
            (Event::StreamEnd, _) => return Ok(()),
            (Event::DocumentStart(_), _) => {}
            (_, line) => return Err(format!("line {line}: not a document")),
        }
        match self.next()? {
            (Event::MappingStart(..), _) => self.mapping("")?,
            // Nothing but comments.
            (Event::Scalar(text, ScalarStyle::Plain, ..), _) if is_null(&text) => {}
            (_, line) => return Err(format!("line {line}: must be keys with values")),
        }
        self.next()?;
        match self.next()? {
            (Event::StreamEnd, _) => Ok(()),
            (_, line) => Err(format!("line {line}: there is more than one document")),
        }
    }

    fn mapping(&mut self, above: &str) -> Result<()> {
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(()),
                (Event::Scalar(key, _, _, None), line) => (format!("{above}{key}"), line),
                (_, line) => return Err(format!("line {line}: a key must be a word")),
            };
            let value = match self.next()? {
                (Event::Scalar(text, ScalarStyle::Plain, _, None), _) if is_null(&text) => continue,
                (Event::Scalar(text, style, _, None), _) => {
                    Value::Scalar { text: text.into_owned().into(), is_plain: style == ScalarStyle::Plain }
                }
                (Event::SequenceStart(_, None), _) => Value::List(self.list(&key)?),
                (Event::MappingStart(_, None), _) if above.is_empty() => {
                    self.mapping(&format!("{key}."))?;
                    continue;
                }
                (_, line) => return Err(unfit(&key, line)),
            };
            self.entries.push(Entry { line, key, value });
        }
    }

    fn list(&mut self, key: &str) -> Result<Vec<Zeroizing<String>>> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(list),
                (Event::Scalar(text, _, _, None), _) => list.push(text.into_owned().into()),
                (_, line) => return Err(unfit(key, line)),
            }
        }
    }
}

fn unfit(key: &str, line: usize) -> String {
    format!("line {line}: {key:?} has a value that is no setting's: no aliases, no tags, nothing deeper")
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let shown = |entry: Entry| match entry.value {
            Value::Scalar { text, is_plain } => format!("{}:{}={}/{is_plain}", entry.line, entry.key, &*text),
            Value::List(list) => {
                let list: Vec<_> = list.iter().map(|text| text.as_str()).collect();
                format!("{}:{}=[{}]", entry.line, entry.key, list.join(","))
            }
        };
        match entries(text) {
            Ok(entries) => entries.into_iter().map(shown).collect::<Vec<_>>().join(" "),
            Err(why) => format!("error {why}"),
        }
    }

    #[test]
    fn json_and_yaml() {
        assert_eq!(read("{\n\t\"a\": [\"x\",\n\t\"y\"], \"b\": {\"c\": 5, \"d\": null}}"), "2:a=[x,y] 3:b.c=5/true");
        assert_eq!(
            read("# c\na:\n- x\n- 'y'\nb:\n  c: \"5\"\n  d:\ne: v # no\n"),
            "2:a=[x,y] 6:b.c=5/false 8:e=v/true"
        );
        for nothing in ["", "# nothing\n", "---\n", "{}", "a: ~"] {
            assert_eq!(read(nothing), "");
        }
    }

    #[test]
    fn what_is_no_setting() {
        for text in [
            "x",
            "[a]",
            "a: [",
            "a: {b: {c: d}}",
            "a: [[b]]",
            "a: [{b: c}]",
            "a: 1\n---\nb: 2",
            "a: &x 1\nb: *x",
            "a: !!int 1",
            "? [a]\n: b",
            "a: \"\\q\"",
            "a: 'b",
            "{\"a\": 1",
            "a: 1\n b: 2",
            "\u{0}",
        ] {
            assert!(read(text).starts_with("error "), "{text:?}: {}", read(text));
        }
        assert!(read("a: 1\nb: *x").contains("line 2"), "{}", read("a: 1\nb: *x"));
    }

    #[test]
    fn nothing_makes_it_panic() {
        let text = "a: [x, 'y']\nb: {c: \"5\\u00e9\"}\n# d\ne: |\n  f\n";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let _ = entries(&text[..end]);
            let _ = entries(&format!("{}{}", &text[end..], &text[..end]));
        }
        let _ = entries(&"[".repeat(100_000));
        let _ = entries(&"{a: ".repeat(10_000));
    }
}
