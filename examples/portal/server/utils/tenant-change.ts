import type { BillingInfoInput, PostalAddressInput, UpdateTenantInput } from '../gql/graphql'

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// An `Int` of GraphQL.
const isVersion = (value: unknown): value is number => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31

function lines<Name extends string>(from: Fields, names: readonly Name[]): Partial<Record<Name, string | null>> {
  const told: Partial<Record<Name, string | null>> = {}
  for (const name of names) {
    const value = from[name]
    if (typeof value === 'string' || value === null) told[name] = value
  }
  return told
}

const ADDRESS = ['line1', 'line2', 'city', 'region', 'postalCode', 'country'] as const
const BILLING = ['companyName', 'email', 'vatId'] as const

function billing(from: Fields): BillingInfoInput {
  const address: PostalAddressInput | undefined = isObject(from.address) ? lines(from.address, ADDRESS) : undefined
  return { ...lines(from, BILLING), ...(address && { address }) }
}

/** The change that a form asks for, out of whatever was sent. */
export function tenantChange(body: unknown): UpdateTenantInput {
  const from = isObject(body) ? body : {}
  const { id, version, name, domains, billingInfo } = from
  if (typeof id !== 'string' || !isVersion(version)) throw createError({ statusCode: 400 })
  const change: UpdateTenantInput = { id, version }
  if (typeof name === 'string') change.name = name
  if (Array.isArray(domains)) {
    if (!domains.every((one) => typeof one === 'string')) throw createError({ statusCode: 400 })
    change.domains = domains
  }
  if (isObject(billingInfo)) change.billingInfo = billing(billingInfo)
  return change
}
