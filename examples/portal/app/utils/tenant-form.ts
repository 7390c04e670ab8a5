import type { MessageKey } from '#shared/i18n/translator'
import type { EditableTenant } from '#shared/types/api'

/** A text field of the billing section. */
interface BillingField {
  label: MessageKey
  /** The field's path in the gateway's input, relative to `input`. Input errors refer to it. */
  path: string
  hint?: MessageKey
  type?: string
  autocomplete?: string
}

export const BILLING_FIELDS = {
  companyName: { label: 'field.companyName', path: 'billingInfo.companyName', autocomplete: 'organization' },
  email: { label: 'field.billingEmail', path: 'billingInfo.email', type: 'email', autocomplete: 'email' },
  vatId: { label: 'field.vatId', path: 'billingInfo.vatId', hint: 'field.vatId.hint' },
  line1: { label: 'field.line1', path: 'billingInfo.address.line1', autocomplete: 'address-line1' },
  line2: { label: 'field.line2', path: 'billingInfo.address.line2', autocomplete: 'address-line2' },
  postalCode: { label: 'field.postalCode', path: 'billingInfo.address.postalCode', autocomplete: 'postal-code' },
  city: { label: 'field.city', path: 'billingInfo.address.city', autocomplete: 'address-level2' },
  region: { label: 'field.region', path: 'billingInfo.address.region', autocomplete: 'address-level1' },
  country: { label: 'field.country', path: 'billingInfo.address.country', autocomplete: 'country' },
} as const satisfies Record<string, BillingField>

export type BillingFieldKey = keyof typeof BILLING_FIELDS
export type FieldKey = 'name' | 'domains' | BillingFieldKey

/** A row of the list of domains. The identifier stays the same when rows before it are removed. */
export interface DomainRow {
  id: number
  value: string
}

/** The values of the form: one text per field, and a list of domains. */
export type FormValues = Record<'name' | BillingFieldKey, string> & { domains: DomainRow[] }

const BILLING_KEYS = Object.keys(BILLING_FIELDS) as BillingFieldKey[]
export const FIELD_KEYS: FieldKey[] = ['name', 'domains', ...BILLING_KEYS]

export const fieldLabelKey = (key: FieldKey): MessageKey =>
  key === 'name' ? 'field.name' : key === 'domains' ? 'field.domains' : BILLING_FIELDS[key].label

/** Returns an identifier that no row has. */
export const nextRowId = (rows: DomainRow[]) => Math.max(0, ...rows.map(({ id }) => id)) + 1

/** Returns the form values of a tenant. Absent billing values become empty strings. */
export function toFormValues(tenant: Pick<EditableTenant, 'name' | 'domains' | 'billingInfo'>): FormValues {
  const { address, ...billing } = tenant.billingInfo ?? {}
  const billingValues = { ...billing, ...address } as Partial<Record<BillingFieldKey, string | null>>
  const values = { name: tenant.name, domains: tenant.domains.map((value, id) => ({ id, value })) } as FormValues
  for (const key of BILLING_KEYS) values[key] = billingValues[key] ?? ''
  return values
}

export const copyValues = (values: FormValues): FormValues => ({ ...values, domains: values.domains.map((row) => ({ ...row })) })

/** Returns a field's value as text, to compare and to display. */
export function valueAsText(values: FormValues, key: FieldKey): string {
  return key === 'domains' ? nonEmptyRows(values).map(({ value }) => value.trim()).join(', ') : values[key].trim()
}

/** Returns the rows that are sent to the gateway, in order. */
export const nonEmptyRows = (values: FormValues) => values.domains.filter(({ value }) => value.trim())

export const isFieldDifferent = (a: FormValues, b: FormValues, key: FieldKey) =>
  valueAsText(a, key) !== valueAsText(b, key)

/** Copies a field. A domain that the target already has keeps its row, and with it the focus. */
export function copyField(target: FormValues, source: FormValues, key: FieldKey): void {
  if (key !== 'domains') {
    target[key] = source[key]
    return
  }
  const rows: DomainRow[] = []
  for (const { value } of source.domains) {
    const kept = target.domains.find((row) => row.value === value && !rows.some(({ id }) => id === row.id))
    rows.push({ id: kept?.id ?? nextRowId([...target.domains, ...rows]), value })
  }
  target.domains = rows
}

/** Returns the changed fields in the format of the portal's API route. The result is empty if nothing changed. */
export function changedFields(saved: FormValues, current: FormValues): Record<string, unknown> {
  const change: Record<string, unknown> = {}
  const billing: Record<string, unknown> = {}
  const address: Record<string, unknown> = {}
  for (const key of FIELD_KEYS.filter((field) => isFieldDifferent(saved, current, field))) {
    if (key === 'domains') change.domains = nonEmptyRows(current).map(({ value }) => value.trim())
    else if (key === 'name') change.name = current.name
    else if (BILLING_FIELDS[key].path.startsWith('billingInfo.address.')) address[key] = current[key].trim() || null
    else billing[key] = current[key].trim() || null
  }
  if (Object.keys(address).length) billing.address = address
  if (Object.keys(billing).length) change.billingInfo = billing
  return change
}

/** A field that was saved elsewhere since the form was opened. */
export interface ConcurrentChange {
  key: FieldKey
  /** The value when the form was opened. */
  original: string
  /** The value that is stored now. */
  saved: string
  /** Whether this form has changed the field to a different value. */
  isConflict: boolean
}

/** Returns the fields that were saved elsewhere since the form was opened. */
export function findConcurrentChanges(original: FormValues, saved: FormValues, mine: FormValues): ConcurrentChange[] {
  return FIELD_KEYS.filter((key) => isFieldDifferent(original, saved, key)).map((key) => ({
    key,
    original: valueAsText(original, key),
    saved: valueAsText(saved, key),
    isConflict: isFieldDifferent(original, mine, key) && isFieldDifferent(saved, mine, key),
  }))
}

/** Takes over the saved value of every field that still has the value of `base`. The others keep the user's value. */
export function takeOverSavedValues(current: FormValues, base: FormValues, saved: FormValues): void {
  for (const key of FIELD_KEYS) {
    if (!isFieldDifferent(base, current, key)) copyField(current, saved, key)
  }
}
