import { TenantMembersDocument } from '../../../../gql/graphql'
import { TENANT_ROLES } from '#shared/utils/enums'

// Returns a page of a tenant's members: `?role=&after=` or `&before=`.
export default defineEventHandler(async (event) => {
  const query = getQuery(event)
  const role = choiceParameter(query, 'role', TENANT_ROLES)
  const variables = { slug: slugParameter(event), ...pageArguments(query), role }
  const { data } = await callGateway(event, TenantMembersDocument, variables)
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  return data.tenant.members
})
