//! Reads the root field of a live operation and its arguments.

use async_graphql::{
    Value,
    parser::types::{Field, Selection, SelectionSet},
};

use crate::{
    access::{AccessError, LiveTopic},
    graphql::{limits::OperationContext, scalar::parse_id},
};

/// The topic of a live operation, and the cursor after which it resumes.
#[derive(Clone, Debug)]
pub(in crate::graphql) struct LiveArguments {
    pub(in crate::graphql) topic: LiveTopic,
    pub(in crate::graphql) since: Option<String>,
}

/// Reads the arguments of the only root field.
///
/// The document is valid and the variables are coerced, so each argument has the declared type.
///
/// # Errors
///
/// [`AccessError::BadInput`] if an identifier is malformed.
pub(super) fn read(context: OperationContext<'_>) -> Result<LiveArguments, AccessError> {
    let root = &context.operation.selection_set.node;
    let field = root_field(root, context).ok_or(AccessError::Internal)?;
    let argument = |name: &str| {
        let value = field.get_argument(name)?.node.clone();
        match value.into_const_with(|name| context.variables.get(&name).cloned().ok_or(())) {
            Ok(Value::String(text)) => Some(text),
            _ => None,
        }
    };
    let tenant = |name: &str| parse_id(name, &argument(name).unwrap_or_default());
    let topic = match field.name.node.as_str() {
        "meChanged" => LiveTopic::Me,
        "tenantChanged" => LiveTopic::Tenant(tenant("id")?),
        "tenantsChanged" => LiveTopic::Tenants,
        "subscriptionChanged" => LiveTopic::Subscriptions(tenant("tenantId")?),
        _ => return Err(AccessError::Internal),
    };
    Ok(LiveArguments { topic, since: argument("since") })
}

/// Returns the first field of a selection set. Validation admits one root field, and no cycle of
/// fragments.
fn root_field<'a>(set: &'a SelectionSet, context: OperationContext<'a>) -> Option<&'a Field> {
    set.items.iter().find_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node),
        Selection::InlineFragment(inline) => root_field(&inline.node.selection_set.node, context),
        Selection::FragmentSpread(spread) => {
            let fragment = context.fragments.get(&spread.node.fragment_name.node)?;
            root_field(&fragment.node.selection_set.node, context)
        }
    })
}
