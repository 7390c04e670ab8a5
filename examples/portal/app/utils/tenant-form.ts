import type { Tenant } from '#shared/types/api'

/** A text field of the billing section. */
interface BillingField {
  label: string
  /** The field's path in the gateway's input, relative to `input`. Input errors refer to it. */
  path: string
  hint?: string
  autocomplete?: string
}

export const BILLING_FIELDS = {
  companyName: { label: 'Company', path: 'billingInfo.companyName', autocomplete: 'organization' },
  email: { label: 'Billing e-mail', path: 'billingInfo.email', autocomplete: 'email' },
  vatId: { label: 'VAT number', path: 'billingInfo.vatId', hint: 'With the country code, for example DE123456789' },
  line1: { label: 'Street and number', path: 'billingInfo.address.line1', autocomplete: 'address-line1' },
  line2: { label: 'Address line 2', path: 'billingInfo.address.line2', autocomplete: 'address-line2' },
  postalCode: { label: 'Postal code', path: 'billingInfo.address.postalCode', autocomplete: 'postal-code' },
  city: { label: 'City', path: 'billingInfo.address.city', autocomplete: 'address-level2' },
  region: { label: 'Region', path: 'billingInfo.address.region', autocomplete: 'address-level1' },
  country: {
    label: 'Country',
    path: 'billingInfo.address.country',
    autocomplete: 'country',
    hint: 'Two-letter code, for example DE',
  },
} as const satisfies Record<string, BillingField>

export type BillingFieldKey = keyof typeof BILLING_FIELDS
export type FieldKey = 'name' | 'domains' | BillingFieldKey

/** The values of the form: one text per field, and a list of domains. */
export type FormValues = Record<'name' | BillingFieldKey, string> & { domains: string[] }

const BILLING_KEYS = Object.keys(BILLING_FIELDS) as BillingFieldKey[]
export const FIELD_KEYS: FieldKey[] = ['name', 'domains', ...BILLING_KEYS]

export const fieldLabel = (key: FieldKey): string =>
  key === 'name' ? 'Name' : key === 'domains' ? 'Domains' : BILLING_FIELDS[key].label

/** Returns the form values of a tenant. Absent billing values become empty strings. */
export function toFormValues(tenant: Tenant): FormValues {
  const { address, ...billing } = tenant.billingInfo ?? {}
  const billingValues = { ...billing, ...address } as Partial<Record<BillingFieldKey, string | null>>
  const values = { name: tenant.name, domains: [...tenant.domains] } as FormValues
  for (const key of BILLING_KEYS) values[key] = billingValues[key] ?? ''
  return values
}

/** Returns a field's value as text, to compare and to display. */
export function valueAsText(values: FormValues, key: FieldKey): string {
  return key === 'domains' ? nonEmptyDomains(values).join(', ') : values[key].trim()
}

/** Returns the trimmed domains without empty rows. */
export const nonEmptyDomains = (values: FormValues) => values.domains.map((domain) => domain.trim()).filter(Boolean)

export const isFieldDifferent = (a: FormValues, b: FormValues, key: FieldKey) =>
  valueAsText(a, key) !== valueAsText(b, key)

export function copyField(target: FormValues, source: FormValues, key: FieldKey): void {
  if (key === 'domains') target.domains = [...source.domains]
  else target[key] = source[key]
}

/** Returns the changed fields in the format of the portal's API route. The result is empty if nothing changed. */
export function changedFields(original: FormValues, current: FormValues): Record<string, unknown> {
  const change: Record<string, unknown> = {}
  const billing: Record<string, unknown> = {}
  const address: Record<string, unknown> = {}
  for (const key of FIELD_KEYS.filter((field) => isFieldDifferent(original, current, field))) {
    if (key === 'domains') change.domains = nonEmptyDomains(current)
    else if (key === 'name') change.name = current.name
    else if (BILLING_FIELDS[key].path.startsWith('billingInfo.address.')) address[key] = current[key].trim() || null
    else billing[key] = current[key].trim() || null
  }
  if (Object.keys(address).length) billing.address = address
  if (Object.keys(billing).length) change.billingInfo = billing
  return change
}

/** The value that the user chooses for a field with conflicting changes. */
export type ValueChoice = 'mine' | 'saved'

/** A field that was saved elsewhere since the form was opened. */
export interface ConcurrentChange {
  key: FieldKey
  /** The value when the form was opened. */
  original: string
  /** The value that is stored now. */
  saved: string
  /** The value in this form. */
  mine: string
  /** Whether this form has changed the field to a different value. */
  isConflict: boolean
}

/** Returns the fields that were saved elsewhere since the form was opened. */
export function findConcurrentChanges(original: FormValues, saved: FormValues, mine: FormValues): ConcurrentChange[] {
  return FIELD_KEYS.filter((key) => isFieldDifferent(original, saved, key)).map((key) => ({
    key,
    original: valueAsText(original, key),
    saved: valueAsText(saved, key),
    mine: valueAsText(mine, key),
    isConflict: isFieldDifferent(original, mine, key) && isFieldDifferent(saved, mine, key),
  }))
}

/** Returns the text with an upper-case first letter, to display it as a sentence. */
export const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** Returns the label of the field at an input error's path, and the anchor of its element in the form. */
export function fieldAtPath(path: string): { label: string; anchor: string } {
  const formPath = path.replace(/^input\./, '')
  const key = BILLING_KEYS.find((field) => BILLING_FIELDS[field].path === formPath)
  if (key) return { label: fieldLabel(key), anchor: `#field-${key}` }
  const row = /^domains\.(\d+)$/.exec(formPath)?.[1]
  const label = row ? `Domain ${Number(row) + 1}` : fieldLabel(formPath === 'domains' ? 'domains' : 'name')
  return { label, anchor: `#field-${formPath}` }
}
