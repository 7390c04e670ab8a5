import { TenantAdministrationDocument } from '../../../gql/graphql'

// Returns the data of a tenant that only platform admins may see or change.
export default defineEventHandler(async (event) => {
  const { data } = await callGateway(event, TenantAdministrationDocument, { slug: slugParameter(event) })
  if (!data.tenant) throw createApiError({ code: 'NOT_FOUND' })
  return data.tenant
})
