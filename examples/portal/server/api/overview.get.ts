import { OverviewDocument } from '../gql/graphql'

// Returns the signed-in user, with the first tenants and subscriptions that the user can see.
export default defineEventHandler(async (event) => {
  const { data } = await callGateway(event, OverviewDocument, {})
  return data
})
