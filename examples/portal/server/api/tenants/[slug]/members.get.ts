import { TenantMembersDocument } from '../../../gql/graphql'

// Returns a page of a tenant's members: `?after=` or `?before=`.
export default defineEventHandler(async (event) => {
  const slug = getRouterParam(event, 'slug', { decode: true }) ?? ''
  const { data } = await callGateway(event, TenantMembersDocument, { slug, ...pageArguments(getQuery(event)) })
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  return data.tenant.members
})
