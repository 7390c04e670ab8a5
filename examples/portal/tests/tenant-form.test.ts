import { describe, expect, test } from 'vitest'
import { currentErrors, toFieldErrors } from '~/utils/form-errors'
import {
  changedFields,
  copyField,
  copyValues,
  findConcurrentChanges,
  takeOverSavedValues,
  toFormValues,
  type FormValues,
} from '~/utils/tenant-form'

const formValues = (changes: { name?: string; domains?: string[]; city?: string | null } = {}): FormValues => {
  const { name = 'Acme', domains = ['acme.example'], city = 'Berlin' } = changes
  const address = { line1: null, line2: null, city, region: null, postalCode: null, country: 'DE' }
  return toFormValues({ name, domains, billingInfo: { companyName: null, email: null, vatId: null, address } })
}

describe('changes', () => {
  test('only changed fields are sent, and an empty billing field is null', () => {
    const saved = formValues()
    const current = copyValues(saved)
    expect(changedFields(saved, current)).toEqual({})
    current.city = ' '
    current.domains.push({ id: 9, value: ' new.example ' }, { id: 10, value: '' })
    expect(changedFields(saved, current)).toEqual({
      domains: ['acme.example', 'new.example'],
      billingInfo: { address: { city: null } },
    })
  })

  test('input that was typed during a save is kept', () => {
    const sent = formValues({ name: 'Sent', domains: ['ACME.example'] })
    const current = copyValues(sent)
    current.name = 'Typed later'
    takeOverSavedValues(current, sent, formValues({ name: 'Sent', domains: ['acme.example'] }))
    expect(current.name).toBe('Typed later')
    expect(current.domains.map(({ value }) => value)).toEqual(['acme.example'])
  })

  test('a concurrent change of the same field is a conflict, unless both have the same value', () => {
    const original = formValues()
    const saved = formValues({ name: 'Saved', city: 'Hamburg' })
    const mine = formValues({ name: 'Mine' })
    const conflicts = (values: FormValues) =>
      findConcurrentChanges(original, saved, values).map(({ key, isConflict }) => [key, isConflict])
    expect(conflicts(mine)).toEqual([['name', true], ['city', false]])
    expect(conflicts(formValues({ name: 'Saved' }))).toEqual([['name', false], ['city', false]])
  })

  test('a copied domain keeps the row that it has', () => {
    const target = formValues({ domains: ['a.example', 'b.example'] })
    const id = target.domains[1]?.id
    copyField(target, formValues({ domains: ['new.example', 'b.example', 'b.example'] }), 'domains')
    expect(target.domains.map(({ value }) => value)).toEqual(['new.example', 'b.example', 'b.example'])
    expect(target.domains[1]?.id).toBe(id)
    expect(new Set(target.domains.map((row) => row.id)).size).toBe(3)
  })
})

describe('field errors', () => {
  const sent = formValues({ domains: ['', 'bad', 'worse'] })
  const errors = toFieldErrors(
    {
      code: 'BAD_USER_INPUT',
      fields: [
        { path: 'input.domains.1', message: 'x' },
        { path: 'input.billingInfo.address.country', message: 'x' },
      ],
    },
    sent,
    formValues(),
  )

  test('an error belongs to its row, even if a row before it is removed', () => {
    const current = copyValues(sent)
    current.domains.splice(0, 2)
    expect(currentErrors(errors, current).map(({ field }) => field)).toEqual(['domain-2', 'country'])
  })

  test('editing a field or removing its row clears its error', () => {
    const current = copyValues(sent)
    current.country = 'FR'
    current.domains.pop()
    expect(currentErrors(errors, current)).toEqual([])
  })

  test('a domain conflict names the added domain', () => {
    const conflict = (domains: string[]) =>
      toFieldErrors({ code: 'CONFLICT', field: 'domains' }, formValues({ domains }), formValues()).map(({ field, message }) => [field, message])
    expect(conflict(['acme.example', 'taken.example'])).toEqual([['domain-1', 'field.error.domainTaken']])
    expect(conflict(['a.example', 'b.example']).map(([, message]) => message)).toEqual([
      'field.error.oneDomainTaken',
      'field.error.oneDomainTaken',
    ])
  })
})
