import { TenantsDocument, type TenantStatus } from '../../gql/graphql'

const STATUSES: readonly string[] = ['PENDING', 'ACTIVE', 'SUSPENDED', 'ARCHIVED'] satisfies TenantStatus[]

const isStatus = (status: unknown): status is TenantStatus =>
  typeof status === 'string' && STATUSES.includes(status)

// Returns a page of the tenants that the user can see: `?search=&status=&after=` or `&before=`.
export default defineEventHandler(async (event) => {
  const query = getQuery(event)
  const search = typeof query.search === 'string' ? query.search : undefined
  const status = isStatus(query.status) ? [query.status] : undefined
  const { data } = await callGateway(event, TenantsDocument, { ...pageArguments(query), filter: { search, status } })
  return data.tenants
})
