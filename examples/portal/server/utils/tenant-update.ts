import type { BillingInfoInput, PostalAddressInput, UpdateTenantInput } from '../gql/graphql'
import { isObject, isVersion, pickTexts, type JsonObject } from './input'

const ADDRESS_FIELDS = ['line1', 'line2', 'city', 'region', 'postalCode', 'country'] as const
const BILLING_FIELDS = ['companyName', 'email', 'vatId'] as const

function parseBilling(source: JsonObject): BillingInfoInput {
  const address: PostalAddressInput | undefined = isObject(source.address)
    ? pickTexts(source.address, ADDRESS_FIELDS)
    : undefined
  return { ...pickTexts(source, BILLING_FIELDS), ...(address && { address }) }
}

/**
 * Returns the tenant update in a request body. Unknown properties are dropped. Throws 400 if the `id`, the
 * `version` or a domain has the wrong type.
 */
export function parseTenantUpdate(body: unknown): UpdateTenantInput {
  const { id, version, name, domains, billingInfo } = isObject(body) ? body : {}
  if (typeof id !== 'string' || !isVersion(version)) throw createError({ statusCode: 400 })
  const update: UpdateTenantInput = { id, version }
  if (typeof name === 'string') update.name = name
  if (Array.isArray(domains)) {
    if (!domains.every((domain) => typeof domain === 'string')) throw createError({ statusCode: 400 })
    update.domains = domains
  }
  if (isObject(billingInfo)) update.billingInfo = parseBilling(billingInfo)
  return update
}
