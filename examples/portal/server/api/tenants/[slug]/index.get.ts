import { TenantDocument } from '../../../gql/graphql'

// Returns a tenant with its subscription and, if the user may view it, its billing information.
export default defineEventHandler(async (event) => {
  const slug = getRouterParam(event, 'slug', { decode: true }) ?? ''
  const { data, forbiddenFields } = await callGateway(event, TenantDocument, { slug }, { guardedFields: ['tenant.billingInfo'] })
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  const { platformAdmin } = data.me
  const role = data.tenant.myMembership?.role
  const isReadOnly = data.tenant.status === 'SUSPENDED' || data.tenant.status === 'ARCHIVED'
  return {
    tenant: data.tenant,
    canViewBilling: !forbiddenFields.includes('tenant.billingInfo'),
    // Only decides whether the page offers the edit form. The gateway authorizes each change.
    canEdit: platformAdmin === true || (!isReadOnly && (role === 'ADMIN' || role === 'OWNER')),
  }
})
