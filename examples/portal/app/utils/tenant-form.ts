import type { Tenant } from '#shared/types/api'

/** A field of one line: where it is in the tenant and in the gateway's input. */
interface Line {
  label: string
  /** The end of the path of its faults: `input.<path>`. */
  path: string
  hint?: string
  autocomplete?: string
}

export const BILLING_LINES = {
  companyName: { label: 'Company', path: 'billingInfo.companyName', autocomplete: 'organization' },
  email: { label: 'Invoices to', path: 'billingInfo.email', autocomplete: 'email' },
  vatId: { label: 'VAT number', path: 'billingInfo.vatId', hint: 'With its country before it: DE123456789' },
  line1: { label: 'Street and number', path: 'billingInfo.address.line1', autocomplete: 'address-line1' },
  line2: { label: 'More of the address', path: 'billingInfo.address.line2', autocomplete: 'address-line2' },
  postalCode: { label: 'Postal code', path: 'billingInfo.address.postalCode', autocomplete: 'postal-code' },
  city: { label: 'City', path: 'billingInfo.address.city', autocomplete: 'address-level2' },
  region: { label: 'Region', path: 'billingInfo.address.region', autocomplete: 'address-level1' },
  country: {
    label: 'Country',
    path: 'billingInfo.address.country',
    autocomplete: 'country',
    hint: 'Two letters: DE',
  },
} as const satisfies Record<string, Line>

export type BillingLine = keyof typeof BILLING_LINES
export type FieldKey = 'name' | 'domains' | BillingLine

/** What the form holds: text, and the domains each in a line. */
export type FormValues = Record<'name' | BillingLine, string> & { domains: string[] }

const BILLING_KEYS = Object.keys(BILLING_LINES) as BillingLine[]
export const FIELD_KEYS: FieldKey[] = ['name', 'domains', ...BILLING_KEYS]

export const fieldLabel = (key: FieldKey): string =>
  key === 'name' ? 'Name' : key === 'domains' ? 'Domains' : BILLING_LINES[key].label

export function valuesOf(tenant: Tenant): FormValues {
  const { address, ...billing } = tenant.billingInfo ?? {}
  const lines = { ...billing, ...address } as Partial<Record<BillingLine, string | null>>
  const values = { name: tenant.name, domains: [...tenant.domains] } as FormValues
  for (const key of BILLING_KEYS) values[key] = lines[key] ?? ''
  return values
}

/** A field's value as text: for comparing, and for showing. */
export function shown(values: FormValues, key: FieldKey): string {
  return key === 'domains' ? domainsOf(values).join(', ') : values[key].trim()
}

/** The domains that are filled in. */
export const domainsOf = (values: FormValues) => values.domains.map((one) => one.trim()).filter(Boolean)

export const differs = (one: FormValues, other: FormValues, key: FieldKey) => shown(one, key) !== shown(other, key)

export function take(into: FormValues, from: FormValues, key: FieldKey): void {
  if (key === 'domains') into.domains = [...from.domains]
  else into[key] = from[key]
}

/** The fields that the form has changed, as the portal's route takes them; empty where there are none. */
export function changeOf(base: FormValues, mine: FormValues): Record<string, unknown> {
  const change: Record<string, unknown> = {}
  const billing: Record<string, unknown> = {}
  const address: Record<string, unknown> = {}
  for (const key of FIELD_KEYS.filter((one) => differs(base, mine, one))) {
    if (key === 'domains') change.domains = domainsOf(mine)
    else if (key === 'name') change.name = mine.name
    else if (BILLING_LINES[key].path.startsWith('billingInfo.address.')) address[key] = mine[key].trim() || null
    else billing[key] = mine[key].trim() || null
  }
  if (Object.keys(address).length) billing.address = address
  if (Object.keys(billing).length) change.billingInfo = billing
  return change
}

/** A field that somebody else has changed since the form was opened. */
export interface Meanwhile {
  key: FieldKey
  was: string
  theirs: string
  mine: string
  /** Changed here too, to something else: somebody has to choose. */
  clash: boolean
}

/** What others have changed since, field by field. */
export function meanwhile(base: FormValues, theirs: FormValues, mine: FormValues): Meanwhile[] {
  return FIELD_KEYS.filter((key) => differs(base, theirs, key)).map((key) => ({
    key,
    was: shown(base, key),
    theirs: shown(theirs, key),
    mine: shown(mine, key),
    clash: differs(base, mine, key) && differs(theirs, mine, key),
  }))
}

/** What the gateway says of a field, as a sentence of its own. */
export const sentence = (message: string) => message.charAt(0).toUpperCase() + message.slice(1)

/** The field that a fault is about, for people and as the element that it leads to. */
export function fieldOfFault(path: string): { label: string; anchor: string } {
  const end = path.replace(/^input\./, '')
  const key = (Object.keys(BILLING_LINES) as BillingLine[]).find((one) => BILLING_LINES[one].path === end)
  if (key) return { label: fieldLabel(key), anchor: `#field-${key}` }
  const row = /^domains\.(\d+)$/.exec(end)?.[1]
  const label = row ? `Domain ${Number(row) + 1}` : fieldLabel(end === 'domains' ? 'domains' : 'name')
  return { label, anchor: `#field-${end}` }
}
