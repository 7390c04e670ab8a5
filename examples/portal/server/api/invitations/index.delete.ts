import { RevokeInvitationDocument, type RevokeInvitationInput } from '../../gql/graphql'

// Revokes an invitation: `{id, version}`.
export default defineEventHandler(async (event) => {
  const data = await mutateGateway(event, RevokeInvitationDocument, await readVersioned<RevokeInvitationInput>(event, []))
  return data.revokeInvitation
})
