import { UpdateTenantDocument } from '../../gql/graphql'
import { parseTenantUpdate } from '../../utils/tenant-update'

// Changes a tenant: `{id, version, name?, domains?, billingInfo?}`. Other properties of the body are dropped and
// never reach the gateway. The gateway validates the values.
export default defineEventHandler(async (event) => {
  const data = await mutateGateway(event, UpdateTenantDocument, parseTenantUpdate(await readBody(event)))
  return data.updateTenant.tenant
})
