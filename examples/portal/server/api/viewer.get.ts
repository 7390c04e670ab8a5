import { ViewerDocument } from '../gql/graphql'

// Returns the name and the rights of the signed-in user.
export default defineEventHandler(async (event) => {
  const { data } = await callGateway(event, ViewerDocument, {})
  return data.me
})
