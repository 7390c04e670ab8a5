import { UpdateSubscriptionDocument, type UpdateSubscriptionInput } from '../../gql/graphql'

// Changes a subscription: `{id, version, plan?, status?, cancelAtPeriodEnd?}`.
export default defineEventHandler(async (event) => {
  const input = await readVersioned<UpdateSubscriptionInput>(event, ['plan', 'status'], ['cancelAtPeriodEnd'])
  const data = await mutateGateway(event, UpdateSubscriptionDocument, input)
  return data.updateSubscription.subscription
})
