import { AcceptInvitationDocument, type AcceptInvitationInput } from '../../gql/graphql'

// Accepts an invitation: `{token}`. Returns the membership.
export default defineEventHandler(async (event) => {
  const data = await mutateGateway(event, AcceptInvitationDocument, await readTexts<AcceptInvitationInput>(event, ['token']))
  return data.acceptInvitation.membership
})
