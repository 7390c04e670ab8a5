import { TenantInvitationsDocument } from '../../../gql/graphql'

// Returns a page of a tenant's invitations that can be accepted or renewed: `?after=` or `&before=`. Null if the user may
// not see them.
export default defineEventHandler(async (event) => {
  const variables = { slug: slugParameter(event), ...pageArguments(getQuery(event)) }
  const { data } = await callGateway(event, TenantInvitationsDocument, variables, { guardedFields: ['tenant.invitations'] })
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  return { invitations: data.tenant.invitations }
})
