//! Reads the elements of a BSON document in one pass, without a copy.
//!
//! The reader of the driver checks each key and each value with code for long texts, which costs more
//! than the decoding itself. This one reads a value only if a decoder uses it. It accepts the same
//! documents: a property test in `reader_tests.rs` compares both.

use mongodb::bson::RawDocument;

use crate::domain::id::ObjectId;

/// The elements of a document in their order. An error is the last item.
#[derive(Clone)]
pub(super) struct Elements<'a> {
    /// The bytes that are not read yet, or `None` at the end.
    rest: Option<&'a [u8]>,
}

/// An element of a document, whose value is not read yet.
pub(super) struct Element<'a> {
    key: &'a [u8],
    kind: u8,
    bytes: &'a [u8],
}

/// A value of an element.
pub(super) enum BsonValue<'a> {
    /// The value `null`.
    Null,
    /// A value that is true or false.
    Boolean(bool),
    /// An integer of 32 bits.
    Int32(i32),
    /// An integer of 64 bits.
    Int64(i64),
    /// A floating-point number.
    Double(f64),
    /// A text in UTF-8.
    String(&'a str),
    /// An identifier of 12 bytes.
    Id(ObjectId),
    /// A time, in milliseconds since 1970.
    Time(i64),
    /// The content of binary data.
    Binary(&'a [u8]),
    /// A nested document.
    Document(&'a RawDocument),
    /// The elements of an array, whose keys are their indices.
    Array(Elements<'a>),
    /// A value of a type that no decoder uses.
    Other,
}

impl<'a> BsonValue<'a> {
    /// Returns the text, or `None` if the value is not a text.
    pub(super) const fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(*text),
            _ => None,
        }
    }
}

/// The reason why a document cannot be read: its bytes are not BSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MalformedError;

impl<'a> Elements<'a> {
    /// Returns the elements of a document.
    pub(super) fn of(document: &'a RawDocument) -> Self {
        Self { rest: document.as_bytes().get(4..) }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, MalformedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if rest == [0] {
            return None;
        }
        let Some((element, rest)) = Element::split_from(rest) else {
            return Some(Err(MalformedError));
        };
        self.rest = Some(rest);
        Some(Ok(element))
    }
}

impl<'a> Element<'a> {
    fn split_from(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&kind, rest) = bytes.split_first()?;
        let (key, rest) = split_cstring(rest)?;
        let (bytes, rest) = rest.split_at_checked(value_size(kind, rest)?)?;
        Some((Self { key, kind, bytes }, rest))
    }

    /// Returns the key of the element, which is UTF-8.
    pub(super) const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Reads the value of the element.
    pub(super) fn value(&self) -> Result<BsonValue<'a>, MalformedError> {
        self.read().ok_or(MalformedError)
    }

    fn read(&self) -> Option<BsonValue<'a>> {
        Some(match self.kind {
            0x01 => BsonValue::Double(f64::from_le_bytes(self.number()?)),
            0x02 => {
                let text = self.bytes.get(4..self.bytes.len().checked_sub(1)?)?;
                BsonValue::String(std::str::from_utf8(text).ok()?)
            }
            0x03 => BsonValue::Document(RawDocument::from_bytes(self.bytes).ok()?),
            0x04 => BsonValue::Array(Elements { rest: Some(self.bytes.get(4..)?) }),
            // Subtype 2 is obsolete and contains its length again.
            0x05 if self.bytes.get(4) != Some(&2) => BsonValue::Binary(self.bytes.get(5..)?),
            0x07 => BsonValue::Id(ObjectId(self.number()?)),
            0x08 => BsonValue::Boolean(match self.bytes {
                [0] => false,
                [1] => true,
                _ => return None,
            }),
            0x09 => BsonValue::Time(i64::from_le_bytes(self.number()?)),
            0x0a => BsonValue::Null,
            0x10 => BsonValue::Int32(i32::from_le_bytes(self.number()?)),
            0x12 => BsonValue::Int64(i64::from_le_bytes(self.number()?)),
            _ => BsonValue::Other,
        })
    }

    fn number<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes.try_into().ok()
    }
}

/// Returns the size of the value at the start of these bytes.
fn value_size(kind: u8, bytes: &[u8]) -> Option<usize> {
    match kind {
        // Undefined, null, and the smallest and the largest key have no value.
        0x06 | 0x0a | 0x7f | 0xff => Some(0),
        0x08 => Some(1),
        0x10 => Some(4),
        // Numbers and times.
        0x01 | 0x09 | 0x11 | 0x12 => Some(8),
        0x07 => Some(12),
        0x13 => Some(16),
        // Texts, code and symbols.
        0x02 | 0x0d | 0x0e => text_size(bytes),
        // Documents and arrays contain their own length.
        0x03 | 0x04 => {
            let size = length(bytes)?;
            (size >= 5 && bytes.get(size - 1) == Some(&0)).then_some(size)
        }
        0x05 => length(bytes)?.checked_add(5),
        0x0b => {
            let (_, options) = split_cstring(bytes)?;
            let (_, rest) = split_cstring(options)?;
            Some(bytes.len() - rest.len())
        }
        0x0c => text_size(bytes)?.checked_add(12),
        0x0f => length(bytes),
        _ => None,
    }
}

/// Returns the size of a text with its length and its terminator.
fn text_size(bytes: &[u8]) -> Option<usize> {
    let size = length(bytes)?.checked_add(4)?;
    (size >= 5 && bytes.get(size - 1) == Some(&0)).then_some(size)
}

/// Reads a length of 32 bits.
fn length(bytes: &[u8]) -> Option<usize> {
    usize::try_from(i32::from_le_bytes(*bytes.first_chunk()?)).ok()
}

/// Splits a text that ends with a null byte from the bytes after it. The text is UTF-8.
fn split_cstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (end, is_ascii) = find_null(bytes)?;
    let (text, rest) = bytes.split_at_checked(end)?;
    // Keys are short. A complete check of each would take longer than finding its end.
    if !is_ascii {
        std::str::from_utf8(text).ok()?;
    }
    Some((text, rest.get(1..)?))
}

/// Returns the index of the first null byte, and whether all bytes before it are ASCII.
///
/// Eight bytes are examined at a time: most keys are in the first word.
fn find_null(bytes: &[u8]) -> Option<(usize, bool)> {
    const LOWEST_BITS: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHEST_BITS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, last) = bytes.as_chunks::<8>();
    let mut seen = 0;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is set belongs to the first null byte. Later ones may be wrong.
        let nulls = word.wrapping_sub(LOWEST_BITS) & !word & HIGHEST_BITS;
        if nulls != 0 {
            let before_null = (nulls & nulls.wrapping_neg()) - 1;
            seen |= word & before_null;
            let end = index * 8 + (nulls.trailing_zeros() / 8) as usize;
            return Some((end, seen & HIGHEST_BITS == 0));
        }
        seen |= word;
    }
    let end = last.iter().position(|byte| *byte == 0)?;
    let is_ascii = seen & HIGHEST_BITS == 0 && last[..end].is_ascii();
    Some((words.len() * 8 + end, is_ascii))
}
