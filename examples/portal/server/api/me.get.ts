import { MeDocument } from '../gql/graphql'

// Who I am, with the first of my tenants and subscriptions.
export default defineEventHandler(async (event) => {
  const { data } = await ask(event, MeDocument, {})
  return data
})
