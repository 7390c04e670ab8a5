import { SubscriptionsDocument } from '../../gql/graphql'
import { LIVE_SUBSCRIPTION_STATUSES, SUBSCRIPTION_STATUSES } from '#shared/utils/enums'

// Returns a page of the subscriptions that the user can see: `?status=&after=` or `&before=`. Without a status, only
// live ones.
export default defineEventHandler(async (event) => {
  const query = getQuery(event)
  const status = choiceParameter(query, 'status', SUBSCRIPTION_STATUSES)
  const filter = { status: status ? [status] : LIVE_SUBSCRIPTION_STATUSES }
  const { data } = await callGateway(event, SubscriptionsDocument, { ...pageArguments(query), filter })
  return data.subscriptions
})
