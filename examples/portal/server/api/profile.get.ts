import { ProfileDocument } from '../gql/graphql'

// Returns the signed-in user with all memberships.
export default defineEventHandler(async (event) => {
  const { data } = await callGateway(event, ProfileDocument, {})
  return data.me
})
