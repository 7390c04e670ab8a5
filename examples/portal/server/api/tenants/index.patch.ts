import { UpdateTenantDocument, type UpdateTenantInput } from '../../gql/graphql'
import { parseTenantUpdate } from '../../utils/tenant-update'

// Changes a tenant: `{id, version, name?, domains?, billingInfo?}`. Other properties of the body are dropped and
// never reach the gateway. The gateway validates the values.
export default defineEventHandler(async (event) => {
  const input: UpdateTenantInput = parseTenantUpdate(await readBody(event))
  const idempotencyKey = getHeader(event, 'idempotency-key')
  const { data } = await callGateway(event, UpdateTenantDocument, { input }, { idempotencyKey })
  return data.updateTenant.tenant
})
