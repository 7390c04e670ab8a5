import { TenantMemberDocument } from '../../../../gql/graphql'

// Returns one member of a tenant.
export default defineEventHandler(async (event) => {
  const variables = { slug: slugParameter(event), userId: getRouterParam(event, 'userId', { decode: true }) ?? '' }
  const { data } = await callGateway(event, TenantMemberDocument, variables)
  const { me, tenant, user } = data
  const membership = user?.memberships.find((candidate) => candidate.tenant.id === tenant?.id)
  if (!tenant || !user || !membership) throw createApiError({ code: 'NOT_FOUND' })
  const { id, name, email } = user
  return { tenant, membership, user: { id, name, email }, viewerId: me.id, rights: rightsIn(tenant, me.platformAdmin === true) }
})
