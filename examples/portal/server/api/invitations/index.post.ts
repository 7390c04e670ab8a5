import { InviteTenantMemberDocument, type InviteTenantMemberInput } from '../../gql/graphql'

// Invites a person to a tenant: `{tenantId, email, role, expiresInDays}`.
export default defineEventHandler(async (event) => {
  const texts = await readTexts<Omit<InviteTenantMemberInput, 'expiresInDays'>>(event, ['tenantId', 'email', 'role'])
  const { expiresInDays } = await readObject(event)
  // The gateway rejects 0, together with the other faults of the input.
  const days = Number.isInteger(expiresInDays) && Math.abs(Number(expiresInDays)) < 2 ** 31 ? Number(expiresInDays) : 0
  const data = await mutateGateway(event, InviteTenantMemberDocument, { ...texts, expiresInDays: days })
  return withLink(event, data.inviteTenantMember)
})
