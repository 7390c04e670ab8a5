import { UpdateTenantDocument, type UpdateTenantInput } from '../../gql/graphql'
import { tenantChange } from '../../utils/tenant-change'

// Changes a tenant: `{id, version, name?, domains?, billingInfo?}`. The gateway looks at the values; what
// is not among these never gets there, whatever a page sends.
export default defineEventHandler(async (event) => {
  const input: UpdateTenantInput = tenantChange(await readBody(event))
  const idempotencyKey = getHeader(event, 'idempotency-key')
  const { data } = await ask(event, UpdateTenantDocument, { input }, { idempotencyKey })
  return data.updateTenant.tenant
})
