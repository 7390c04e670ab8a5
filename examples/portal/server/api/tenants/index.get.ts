import { TenantsDocument } from '../../gql/graphql'
import { PLANS, TENANT_STATUSES } from '#shared/utils/enums'

// Returns a page of the tenants that the user can see: `?search=&status=&plan=&after=` or `&before=`.
export default defineEventHandler(async (event) => {
  const query = getQuery(event)
  const status = choiceParameter(query, 'status', TENANT_STATUSES)
  const plan = choiceParameter(query, 'plan', PLANS)
  const filter = { search: textParameter(query, 'search'), status: status && [status], plan: plan && [plan] }
  const { data } = await callGateway(event, TenantsDocument, { ...pageArguments(query), filter })
  return data.tenants
})
