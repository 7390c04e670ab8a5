import { UpdateTenantMemberDocument, type UpdateTenantMemberInput } from '../gql/graphql'

// Changes the role of a member: `{tenantId, userId, role}`.
export default defineEventHandler(async (event) => {
  const input = await readTexts<UpdateTenantMemberInput>(event, ['tenantId', 'userId', 'role'])
  const data = await mutateGateway(event, UpdateTenantMemberDocument, input)
  return data.updateTenantMember.membership
})
