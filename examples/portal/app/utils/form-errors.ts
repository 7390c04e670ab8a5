import { fieldErrorKey } from '#shared/utils/error-messages'
import type { MessageKey } from '#shared/i18n/translator'
import type { ApiError } from '#shared/types/api-error'
import { BILLING_FIELDS, nonEmptyRows, type BillingFieldKey, type FormValues } from './tenant-form'

/** A field of the form: a text field, the list of domains, or one row of it by its identifier. */
export type FieldId = 'name' | 'domains' | BillingFieldKey | `domain-${number}`

/** The error of one field. It is about the value that was sent, so it disappears when the user edits the field. */
export interface FieldError {
  field: FieldId
  value: string
  message: MessageKey
}

const BILLING_KEYS = Object.keys(BILLING_FIELDS) as BillingFieldKey[]

/** Returns the current value of a field, or undefined if its row was removed. */
export function fieldValue(values: FormValues, field: FieldId): string | undefined {
  if (field === 'domains') return values.domains.map(({ value }) => value).join('\n')
  if (!field.startsWith('domain-')) return values[field as 'name' | BillingFieldKey]
  return values.domains.find(({ id }) => `domain-${id}` === field)?.value
}

/** Returns the errors that are still about the current values. */
export const currentErrors = (errors: FieldError[], values: FormValues) =>
  errors.filter(({ field, value }) => fieldValue(values, field) === value)

/** Returns the field errors of a refused change. `sent` are the values that were sent, `saved` the stored ones. */
export function toFieldErrors(error: ApiError, sent: FormValues, saved: FormValues): FieldError[] {
  const toError = (field: FieldId, message: MessageKey) => ({ field, value: fieldValue(sent, field) ?? '', message })
  if (error.code === 'CONFLICT' && error.field === 'domains') {
    // The gateway does not tell which domain is taken. It cannot be one that this tenant already has.
    const added = nonEmptyRows(sent).filter(({ value }) => !saved.domains.some((row) => row.value === value.trim()))
    const message = added.length === 1 ? 'field.error.domainTaken' : 'field.error.oneDomainTaken'
    return added.map(({ id }) => toError(`domain-${id}`, message))
  }
  return (error.fields ?? []).map(({ path }) => {
    const formPath = path.replace(/^input\./, '')
    return toError(fieldAtPath(formPath, sent), fieldErrorKey(formPath))
  })
}

/** Returns the field at the path of an input error. The index of a domain counts the rows that were sent. */
function fieldAtPath(path: string, sent: FormValues): FieldId {
  const key = BILLING_KEYS.find((candidate) => BILLING_FIELDS[candidate].path === path)
  if (key) return key
  const row = nonEmptyRows(sent)[Number(/^domains\.(\d+)$/.exec(path)?.[1])]
  if (row) return `domain-${row.id}`
  return path === 'domains' ? 'domains' : 'name'
}
