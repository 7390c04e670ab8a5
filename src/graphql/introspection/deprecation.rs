//! Deprecation of definitions, and the values of enumerations.

use apollo_compiler::ast::{DirectiveList, EnumValueDefinition};
use async_graphql::Object;

use super::data::IntrospectionData;

/// A value of an enumeration.
pub(super) struct EnumValueObject<'a> {
    pub(super) data: &'a IntrospectionData,
    pub(super) definition: &'a EnumValueDefinition,
}

#[Object(name = "__EnumValue")]
impl<'a> EnumValueObject<'a> {
    async fn name(&self) -> &'a str {
        &self.definition.value
    }

    async fn description(&self) -> Option<&'a str> {
        self.definition.description.as_deref()
    }

    async fn is_deprecated(&self) -> bool {
        is_deprecated(&self.definition.directives)
    }

    async fn deprecation_reason(&self) -> Option<&'a str> {
        deprecation_reason(&self.definition.directives, self.data)
    }
}

pub(super) fn is_deprecated(directives: &DirectiveList) -> bool {
    directives.has("deprecated")
}

pub(super) fn is_included(directives: &DirectiveList, include_deprecated: Option<bool>) -> bool {
    include_deprecated == Some(true) || !is_deprecated(directives)
}

pub(super) fn deprecation_reason<'a>(
    directives: &'a DirectiveList,
    data: &'a IntrospectionData,
) -> Option<&'a str> {
    let reason = directives.get("deprecated")?.argument_by_name("reason", &data.schema);
    reason.ok()?.as_str()
}
