//! Measures JSON text without parsing it.

use super::lexer::string_end;

/// The size of a JSON value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct JsonSize {
    /// The number of values, including the value itself and all values in it.
    pub(super) values: u64,
    /// The number of levels of lists and objects.
    pub(super) depth: u64,
    /// The length of the longest text or name, in bytes, with its quotes and escape sequences.
    pub(super) longest_text: usize,
}

/// Measures a value in one pass over its text, which must be valid JSON.
pub(super) fn measure(json: &str) -> JsonSize {
    let (bytes, mut at) = (json.as_bytes(), 0);
    let mut size = JsonSize { values: 1, ..JsonSize::default() };
    let mut open = 0_u64;
    // The last byte that is not white space.
    let mut previous = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'"' => {
                let end = string_end(bytes, at);
                size.longest_text = size.longest_text.max(end - (at - 1));
                at = end;
            }
            b'[' | b'{' => {
                open += 1;
                size.depth = size.depth.max(open);
            }
            b']' | b'}' => {
                open = open.saturating_sub(1);
                // It has one element more than commas, unless it is empty.
                size.values += u64::from(!matches!(previous, b'[' | b'{'));
            }
            b',' => size.values += 1,
            _ => {}
        }
        previous = byte;
    }
    size
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns the number of values and of levels of a parsed value.
    fn count(value: &Value) -> (u64, u64) {
        let elements: Vec<&Value> = match value {
            Value::Array(elements) => elements.iter().collect(),
            Value::Object(members) => members.values().collect(),
            _ => return (1, 0),
        };
        let counts = elements.into_iter().map(count);
        counts
            .fold((1, 1), |(values, depth), element| (values + element.0, depth.max(element.1 + 1)))
    }

    #[test]
    fn text_and_parsed_value_have_the_same_size() {
        for value in [
            json!(null),
            json!("[{,\"]\\"),
            json!([]),
            json!({}),
            json!([[], {}, [[]]]),
            json!([1, -2.5e3, true, "a, b", null]),
            json!({"a,[": {"b\\": [1, 2]}, "c": "", "d": [{}]}),
        ] {
            let compact = value.to_string();
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            // The replacement also changes texts, but not the number of values.
            let spaced = compact.replace('[', " [ ").replace('}', "\n}\t");
            for text in [compact, pretty, spaced.replace('\n', " ")] {
                let JsonSize { values, depth, .. } = measure(&text);
                assert_eq!((values, depth), count(&value), "{text}");
            }
        }
    }

    #[test]
    fn longest_text_is_measured_with_quotes() {
        for (json, bytes) in [("1", 0), (r#""""#, 2), (r#"["a", {"b\"c": "é"}]"#, 6)] {
            assert_eq!(measure(json).longest_text, bytes, "{json}");
        }
    }
}
