import { RemoveTenantMemberDocument, type RemoveTenantMemberInput } from '../gql/graphql'

// Removes a member from a tenant: `{tenantId, userId}`. Users can remove themselves.
export default defineEventHandler(async (event) => {
  const input = await readTexts<RemoveTenantMemberInput>(event, ['tenantId', 'userId'])
  const data = await mutateGateway(event, RemoveTenantMemberDocument, input)
  return data.removeTenantMember
})
