import { CreateSubscriptionDocument, type CreateSubscriptionInput } from '../../gql/graphql'

// Creates a subscription: `{tenantId, plan, status}`.
export default defineEventHandler(async (event) => {
  const input = await readTexts<CreateSubscriptionInput>(event, ['tenantId', 'plan', 'status'])
  const data = await mutateGateway(event, CreateSubscriptionDocument, input)
  return data.createSubscription.subscription
})
