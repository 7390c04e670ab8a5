import { ResendInvitationDocument, type ResendInvitationInput } from '../../gql/graphql'

// Renews an invitation: `{id, version}`. The earlier link is void.
export default defineEventHandler(async (event) => {
  const input = await readVersioned<ResendInvitationInput>(event, [])
  const data = await mutateGateway(event, ResendInvitationDocument, input)
  return withLink(event, data.resendInvitation)
})
