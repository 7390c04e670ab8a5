//! Patches: the fields of an update input.
//!
//! An omitted field and a null field are different: the first keeps the stored value, the second
//! clears it.

use super::input_error::InputError;

/// The instruction of an input for one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Keeps the stored value. The input omits the field.
    #[default]
    Keep,
    /// Clears the field. The input sets it to null.
    Clear,
    /// Sets the field to this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Returns whether the input omits the field.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Returns whether the patch leaves a field with this value unchanged.
    #[must_use]
    pub fn would_keep(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
        match self {
            Self::Keep => true,
            Self::Clear => false,
            Self::Set(set) => set == value,
        }
    }

    /// Applies the patch to a field that must have a value.
    ///
    /// `parse` converts the input to its stored form, or returns the message of an input error.
    /// Null is an input error. An invalid patch leaves the field unchanged.
    pub fn apply_required<U>(
        self,
        path: &str,
        field: &mut U,
        errors: &mut Vec<InputError>,
        parse: impl FnOnce(T) -> Result<U, &'static str>,
    ) {
        match self {
            Self::Keep => {}
            Self::Clear => errors.push(InputError::at(path, "must not be null")),
            Self::Set(value) => match parse(value) {
                Ok(value) => *field = value,
                Err(message) => errors.push(InputError::at(path, message)),
            },
        }
    }

    /// Applies the patch to a field that may have no value.
    ///
    /// `parse` converts the input to its stored form, or returns the message of an input error. It
    /// may also return `None`, which clears the field. An invalid patch leaves the field unchanged.
    pub fn apply_optional<U>(
        self,
        path: &str,
        field: &mut Option<U>,
        errors: &mut Vec<InputError>,
        parse: impl FnOnce(T) -> Result<Option<U>, &'static str>,
    ) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => match parse(value) {
                Ok(value) => *field = value,
                Err(message) => errors.push(InputError::at(path, message)),
            },
        }
    }

    /// Applies the patch of an object to its stored value, field by field.
    ///
    /// An object whose fields are all empty afterwards is cleared.
    pub fn apply_nested<U: Default + PartialEq>(
        self,
        field: &mut Option<U>,
        apply: impl FnOnce(T, &mut U),
    ) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(patch) => {
                let mut object = field.take().unwrap_or_default();
                apply(patch, &mut object);
                *field = (object != U::default()).then_some(object);
            }
        }
    }
}
