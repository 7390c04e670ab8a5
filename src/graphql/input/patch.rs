//! Converts fields of inputs into patches of the domain.

use async_graphql::MaybeUndefined;

use crate::domain::patch::Patch;

/// Returns the patch for a field of an update. `convert` converts a value that is given.
pub(super) fn update_patch<A, B>(
    field: MaybeUndefined<A>,
    convert: impl FnOnce(A) -> B,
) -> Patch<B> {
    match field {
        // The default is to keep the stored value.
        MaybeUndefined::Undefined => Patch::default(),
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(convert(value)),
    }
}

/// Returns the patch for an optional field of a new object. Such a field is empty if it is not
/// given.
pub(super) fn set_if_given<A, B>(field: Option<A>, convert: impl FnOnce(A) -> B) -> Patch<B> {
    field.map_or_else(Patch::default, |value| Patch::Set(convert(value)))
}
