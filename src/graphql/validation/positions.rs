//! Converts byte offsets in a document to lines and columns.

use apollo_compiler::parser::SourceSpan;
use async_graphql::Pos;

/// The offsets in a document that lines and columns are computed from.
pub(super) struct Positions {
    /// The offset of the first byte of each line.
    line_starts: Vec<usize>,
    /// The offsets of the bytes that do not begin a character.
    continuation_bytes: Vec<usize>,
}

impl Positions {
    /// Finds the lines of a document. The line terminators are those of the specification, section
    /// 2.1.2.
    pub(super) fn new(document: &str) -> Self {
        let (mut line_starts, mut continuation_bytes) = (vec![0], Vec::new());
        let bytes = document.as_bytes();
        for (offset, byte) in bytes.iter().enumerate() {
            match byte {
                b'\r' if bytes.get(offset + 1) == Some(&b'\n') => {}
                b'\n' | b'\r' => line_starts.push(offset + 1),
                0x80..0xC0 => continuation_bytes.push(offset),
                _ => {}
            }
        }
        Self { line_starts, continuation_bytes }
    }

    /// Returns the position of the first character of a span.
    pub(super) fn of(&self, span: Option<SourceSpan>) -> Pos {
        self.at(span.map_or(0, |span| span.offset()))
    }

    /// Returns the position of the character at an offset. Columns count characters.
    pub(super) fn at(&self, offset: usize) -> Pos {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let bytes_before = |end: usize| self.continuation_bytes.partition_point(|byte| *byte < end);
        let column = offset - start - (bytes_before(offset) - bytes_before(start)) + 1;
        Pos { line, column }
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ast::{Definition, Document};

    use super::*;

    #[test]
    fn lines_and_columns_count_characters() {
        let text = "# é\u{1F600}\n\r\n {\r a }\n\r\rquery B { b }";
        let document = Document::parse(text, "").expect("a document");
        let positions = Positions::new(text);
        let found: Vec<(usize, usize)> = document
            .definitions
            .iter()
            .map(|definition| {
                let Definition::OperationDefinition(operation) = definition else {
                    panic!("an operation")
                };
                let Pos { line, column } = positions.of(operation.location());
                (line, column)
            })
            .collect();
        assert_eq!(found, [(3, 2), (7, 1)]);
        let same_line = "{ a(b: \"é😀\") c }";
        let c = same_line.find('c').expect("a field");
        let document = Document::parse(same_line, "").expect("a document");
        let Some(Definition::OperationDefinition(operation)) = document.definitions.first() else {
            panic!("an operation")
        };
        let field = operation.selection_set[1].as_field().expect("a field");
        assert_eq!(field.location().map(|span| span.offset()), Some(c));
        assert_eq!(Positions::new(same_line).of(field.location()), Pos { line: 1, column: 14 });
    }
}
