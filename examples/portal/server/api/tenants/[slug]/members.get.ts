import { TenantMembersDocument } from '../../../gql/graphql'

// A page of a tenant's members: `?after=` or `before=`.
export default defineEventHandler(async (event) => {
  const slug = getRouterParam(event, 'slug', { decode: true }) ?? ''
  const { data } = await ask(event, TenantMembersDocument, { slug, ...windowOf(getQuery(event)) })
  if (!data.tenant) throw problem({ code: 'NOT_FOUND' })
  return data.tenant.members
})
