//! The JSON text of the values of one field.

use std::collections::VecDeque;

use async_graphql::{Error, ServerError};
use serde::Serialize;

use crate::access::AccessError;

/// The values of one field for many objects as JSON text, in the order of the objects.
///
/// All texts are in one buffer, so that a value needs no allocation of its own. A value can be an
/// error instead, which goes up to the nearest nullable field.
#[derive(Default)]
pub(in crate::graphql) struct Column {
    text: Vec<u8>,
    /// The end of each value in the text. The text of an error is empty.
    ends: Vec<usize>,
    /// The errors, in the order of their values.
    errors: VecDeque<(usize, Box<ServerError>)>,
}

impl Column {
    /// Creates an empty column with space for this number of values and bytes.
    pub(super) fn with_capacity(values: usize, bytes: usize) -> Self {
        Self {
            text: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(values),
            errors: VecDeque::new(),
        }
    }

    /// Appends the value whose text `write` appends to the buffer, or its error.
    pub(super) fn push_with(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Box<ServerError>>,
    ) {
        let start = self.text.len();
        if let Err(error) = write(&mut self.text) {
            self.text.truncate(start);
            self.errors.push_back((self.ends.len(), error));
        }
        self.ends.push(self.text.len());
    }

    /// Appends a value.
    pub(super) fn push<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.push_with(|text| serde_json::to_writer(text, value).map_err(|_| internal_error()));
    }

    /// Appends a value of another column.
    pub(in crate::graphql) fn push_resolved(&mut self, resolved: Result<&[u8], Box<ServerError>>) {
        self.push_with(|text| resolved.map(|value| text.extend_from_slice(value)));
    }

    /// Appends a null.
    pub(super) fn push_null(&mut self) {
        self.push_resolved(Ok(b"null"));
    }

    /// Appends an error.
    pub(super) fn push_error(&mut self, error: Box<ServerError>) {
        self.push_resolved(Err(error));
    }

    /// Returns the number of values.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the length of the text of all values, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Returns whether a value is an error.
    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Returns a reader of the values.
    pub(in crate::graphql) const fn into_values(self) -> Values {
        Values { column: self, number: 0, start: 0 }
    }

    /// Returns the text of a column with one value.
    pub(super) fn into_only_value(mut self) -> Result<Vec<u8>, Box<ServerError>> {
        match self.errors.pop_front() {
            Some((_, error)) => Err(error),
            None if self.len() == 1 => Ok(self.text),
            None => Err(internal_error()),
        }
    }
}

/// Reads the values of a column in their order.
pub(in crate::graphql) struct Values {
    column: Column,
    number: usize,
    start: usize,
}

impl Values {
    /// Returns the next value.
    pub(in crate::graphql) fn next(&mut self) -> Result<&[u8], Box<ServerError>> {
        let Column { text, ends, errors } = &mut self.column;
        let error = errors.pop_front_if(|(number, _)| *number == self.number);
        let end = ends.get(self.number).copied().ok_or_else(internal_error)?;
        let value = &text[self.start..end];
        (self.number, self.start) = (self.number + 1, end);
        error.map_or(Ok(value), |(_, error)| Err(error))
    }
}

/// Returns the error for a state that cannot occur.
pub(super) fn internal_error() -> Box<ServerError> {
    Box::new(Error::from(AccessError::Internal).into_server_error(Default::default()))
}
