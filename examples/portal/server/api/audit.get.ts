import { AuditLogDocument } from '../gql/graphql'

// Returns a page of the platform's audit log: `?action=&actor=&tenant=&since=&until=&after=` or `&before=`.
export default defineEventHandler(async (event) => {
  const query = getQuery(event)
  const { data } = await callGateway(event, AuditLogDocument, { ...pageArguments(query), filter: auditFilter(query) })
  return data.auditLog
})
