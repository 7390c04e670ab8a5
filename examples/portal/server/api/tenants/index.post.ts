import { CreateTenantDocument, type CreateTenantInput } from '../../gql/graphql'

// Creates a tenant: `{slug, name, plan}`.
export default defineEventHandler(async (event) => {
  const input = pickTexts(await readObject(event), ['slug', 'name', 'plan']) as unknown as CreateTenantInput
  const data = await mutateGateway(event, CreateTenantDocument, input)
  return data.createTenant.tenant
})
