import type { BillingInfoInput, PostalAddressInput, UpdateTenantInput } from '../gql/graphql'

type JsonObject = Record<string, unknown>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// A version is a GraphQL `Int`, which has 32 bits.
const isVersion = (value: unknown): value is number => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31

function pickTexts<Name extends string>(source: JsonObject, names: readonly Name[]): Partial<Record<Name, string | null>> {
  const picked: Partial<Record<Name, string | null>> = {}
  for (const name of names) {
    const value = source[name]
    if (typeof value === 'string' || value === null) picked[name] = value
  }
  return picked
}

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
