import { AddTenantMemberDocument, type AddTenantMemberInput } from '../gql/graphql'

// Adds a user to a tenant: `{tenantId, userId, role}`.
export default defineEventHandler(async (event) => {
  const input = await readTexts<AddTenantMemberInput>(event, ['tenantId', 'userId', 'role'])
  const data = await mutateGateway(event, AddTenantMemberDocument, input)
  return data.addTenantMember.membership
})
