import { InvitationPreviewDocument } from '../../gql/graphql'

// Returns the invitation with a token, or null if the user could not accept it now, and the user.
export default defineEventHandler(async (event) => {
  const token = getRouterParam(event, 'token', { decode: true }) ?? ''
  const { data } = await callGateway(event, InvitationPreviewDocument, { token })
  return data
})
