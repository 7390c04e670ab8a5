import {
  TenantChangedDocument,
  TenantsChangedDocument,
  TenantSubscriptionChangedDocument,
  ViewerChangedDocument,
} from '../../gql/graphql'

// Streams the changes of a tenant (`tenant?id=`), of its subscriptions (`subscription?id=`), of all tenants of the user
// (`tenants`), or of the user (`viewer`).
export default defineEventHandler(async (event) => {
  const variables = { id: textParameter(getQuery(event), 'id') ?? '' }
  switch (getRouterParam(event, 'operation')) {
    case 'tenant':
      return relayLiveOperation(event, TenantChangedDocument, variables)
    case 'subscription':
      return relayLiveOperation(event, TenantSubscriptionChangedDocument, variables)
    case 'tenants':
      return relayLiveOperation(event, TenantsChangedDocument, {})
    case 'viewer':
      return relayLiveOperation(event, ViewerChangedDocument, {})
    default:
      throw createError({ statusCode: 404 })
  }
})
