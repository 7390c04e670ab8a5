//! What an input says of one field. Left out and null are two things: the one leaves the field as it
//! is, the other clears it.

use super::input_error::InputError;

/// What becomes of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The input does not name it.
    #[default]
    CachePolicy,
    /// The input names it as null.
    Clear,
    /// The input has a value for it.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the input does not name the field.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::CachePolicy)
    }

    /// Whether the field would be this afterwards, where it is this now.
    #[must_use]
    pub fn would_keep(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
        match self {
            Self::CachePolicy => true,
            Self::Clear => false,
            Self::Set(set) => set == value,
        }
    }

    /// Puts the value, once `read` has made it fit to be stored, in the place of a field that must
    /// have one.
    pub fn apply_required<U>(
        self,
        path: &str,
        field: &mut U,
        faults: &mut Vec<InputError>,
        read: impl FnOnce(T) -> Result<U, &'static str>,
    ) {
        match self {
            Self::CachePolicy => {}
            Self::Clear => faults.push(InputError::at(path, "cannot be null")),
            Self::Set(value) => match read(value) {
                Ok(value) => *field = value,
                Err(message) => faults.push(InputError::at(path, message)),
            },
        }
    }

    /// The same of a field that may have none; `read` may also find that the value is none.
    pub fn apply_optional<U>(
        self,
        path: &str,
        field: &mut Option<U>,
        faults: &mut Vec<InputError>,
        read: impl FnOnce(T) -> Result<Option<U>, &'static str>,
    ) {
        match self {
            Self::CachePolicy => {}
            Self::Clear => *field = None,
            Self::Set(value) => match read(value) {
                Ok(value) => *field = value,
                Err(message) => faults.push(InputError::at(path, message)),
            },
        }
    }

    /// Changes the parts of a field that is an object; one that has nothing left in it is none.
    pub fn apply_nested<U: Default + PartialEq>(
        self,
        field: &mut Option<U>,
        change: impl FnOnce(T, &mut U),
    ) {
        match self {
            Self::CachePolicy => {}
            Self::Clear => *field = None,
            Self::Set(parts) => {
                let mut object = field.take().unwrap_or_default();
                change(parts, &mut object);
                *field = (object != U::default()).then_some(object);
            }
        }
    }
}
