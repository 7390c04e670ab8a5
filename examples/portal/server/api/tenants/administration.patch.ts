import { UpdateTenantDocument, type UpdateTenantInput } from '../../gql/graphql'

// Changes the fields of a tenant that only platform admins may change: `{id, version, status?, plan?}`.
export default defineEventHandler(async (event) => {
  const input = await readVersioned<UpdateTenantInput>(event, ['status', 'plan'])
  const data = await mutateGateway(event, UpdateTenantDocument, input)
  return data.updateTenant.tenant
})
