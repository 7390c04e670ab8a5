import { DeleteTenantDocument, type DeleteTenantInput } from '../../gql/graphql'

// Deletes a tenant: `{id, version}`.
export default defineEventHandler(async (event) => {
  const data = await mutateGateway(event, DeleteTenantDocument, await readVersioned<DeleteTenantInput>(event, []))
  return data.deleteTenant
})
