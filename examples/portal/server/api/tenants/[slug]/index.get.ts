import { TenantDocument } from '../../../gql/graphql'

// One tenant, with its subscription and, for whom it is meant, its billing.
export default defineEventHandler(async (event) => {
  const slug = getRouterParam(event, 'slug', { decode: true }) ?? ''
  const { data, denied } = await ask(event, TenantDocument, { slug }, { guarded: ['tenant.billingInfo'] })
  if (!data.tenant) throw problem({ code: 'NOT_FOUND' })
  const { platformAdmin } = data.me
  const role = data.tenant.myMembership?.role
  const closed = data.tenant.status === 'SUSPENDED' || data.tenant.status === 'ARCHIVED'
  return {
    tenant: data.tenant,
    maySeeBilling: !denied.includes('tenant.billingInfo'),
    // What the page offers. What is allowed is the gateway's to say, at the time.
    mayEdit: platformAdmin === true || (!closed && (role === 'ADMIN' || role === 'OWNER')),
  }
})
