import { TenantAuditLogDocument } from '../../../gql/graphql'

// Returns a page of a tenant's audit log: `?action=&actor=&since=&until=&after=` or `&before=`. The log is null if the
// user may not see it.
export default defineEventHandler(async (event) => {
  const slug = slugParameter(event)
  const query = getQuery(event)
  const variables = { slug, ...pageArguments(query), filter: auditFilter(query) }
  const { data } = await callGateway(event, TenantAuditLogDocument, variables, { guardedFields: ['tenant.auditLog'] })
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  const { auditLog, ...tenant } = data.tenant
  return { tenant, auditLog }
})
