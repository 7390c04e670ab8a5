import { TenantDocument } from '../../../gql/graphql'

// Returns a tenant with its subscription and, if the user may view it, its billing information.
export default defineEventHandler(async (event) => {
  const variables = { slug: slugParameter(event) }
  const { data, forbiddenFields } = await callGateway(event, TenantDocument, variables, { guardedFields: ['tenant.billingInfo'] })
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  return {
    tenant: data.tenant,
    viewerId: data.me.id,
    canViewBilling: !forbiddenFields.includes('tenant.billingInfo'),
    rights: rightsIn(data.tenant, data.me.platformAdmin === true),
  }
})
