import { describe, expect, test } from 'vitest'
import { en } from '#shared/i18n/en'
import { createTranslator } from '#shared/i18n/translator'
import { fieldErrorKey, getErrorMessage } from '#shared/utils/error-messages'
import { tenantDisplayName } from '#shared/utils/labels'
import type { ApiErrorCode } from '#shared/types/api-error'
import { readableChanges } from '~/utils/audit'
import { toApiError } from '~/utils/api-error'
import { listCountries } from '~/utils/countries'
import { formatTimestamp } from '~/utils/dates'
import { unicodeDomain } from '~/utils/domains'
import { suggestSlug } from '~/utils/slug'

const translator = createTranslator(en, 'en', 'en-GB')

describe('audit log', () => {
  const change = (field: string, from: unknown, to: unknown) => readableChanges({ [field]: { from, to } }, translator)[0]

  test('fields and enum values are words', () => {
    expect(change('memberships.ten_1', null, 'OWNER')).toEqual({ field: 'Role', from: 'empty', to: 'Owner' })
    expect(change('memberships.ten_1.source', 'GROUP', 'DIRECT')).toEqual({ field: 'Membership', from: 'From a group', to: 'Added directly' })
    expect(change('billingInfo.address.city', 'Bonn', '')).toEqual({ field: 'City', from: 'Bonn', to: 'empty' })
    expect(change('domains', [], ['a.example', 'b.example'])).toEqual({ field: 'Domains', from: 'empty', to: 'a.example, b.example' })
    expect(change('disabled', false, true)).toEqual({ field: 'Disabled', from: 'no', to: 'yes' })
    expect(change('currentPeriodEnd', null, '2026-12-01T00:00:00.000Z')?.to).toBe('1 Dec 2026, 00:00 UTC')
  })

  test('a name that looks like an enum value stays as it is', () => {
    expect(change('name', 'ACTIVE', 'OWNER')).toEqual({ field: 'Name', from: 'ACTIVE', to: 'OWNER' })
  })

  test('an unknown field and value are displayed unchanged', () => {
    expect(change('future.field', 1, { a: 1 })).toEqual({ field: 'field', from: '1', to: '{"a":1}' })
    expect(readableChanges(null, translator)).toEqual([])
  })
})

describe('errors', () => {
  test('the message of an error names the delay', () => {
    expect(getErrorMessage({ code: 'RATE_LIMITED', retryAfterSeconds: 1 }, translator).text).toContain('in 1 second.')
    expect(getErrorMessage({ code: 'UNAVAILABLE' }, translator).text).toContain('in a moment.')
  })

  test('an unknown code is an internal error', () => {
    expect(getErrorMessage({ code: 'FUTURE' as ApiErrorCode }, translator).title).toBe('Something went wrong')
  })

  test('an input error is in the words of a user', () => {
    expect(fieldErrorKey('billingInfo.email')).toBe('field.error.email')
    expect(fieldErrorKey('domains.12')).toBe('field.error.domain')
    expect(fieldErrorKey('billingInfo.address.line1')).toBe('field.error.line')
    expect(fieldErrorKey('future')).toBe('field.error.other')
  })

  test('an error is found in both forms of a failed request', () => {
    expect(toApiError({ data: { data: { code: 'FORBIDDEN' } } }).code).toBe('FORBIDDEN')
    expect(toApiError({ data: { code: 'FORBIDDEN' } }).code).toBe('FORBIDDEN')
    expect(toApiError({ statusCode: 413 }).code).toBe('LIMIT_EXCEEDED')
    expect(toApiError(new Error('offline')).code).toBe('PORTAL_UNREACHABLE')
  })
})

test('a timestamp names its time zone', () => {
  const at = '2026-12-01T00:00:00.000Z'
  expect(formatTimestamp(at, 'en-GB', { timeZone: 'UTC' })).toBe('1 Dec 2026, UTC')
  expect(formatTimestamp(at, 'en-US', { timeZone: 'America/New_York' })).toBe('Nov 30, 2026, EST')
  expect(formatTimestamp(at, 'de-DE', { timeZone: 'Europe/Berlin', precise: true })).toBe('1. Dez. 2026, 01:00 MEZ')
})

test('a domain has a Unicode form only if it differs', () => {
  expect(unicodeDomain('xn--mnchen-3ya.example')).toBe('münchen.example')
  expect(unicodeDomain('acme.example')).toBeUndefined()
  expect(unicodeDomain('xn--\u0000')).toBeUndefined()
})

test('countries have names in the language, in its order', () => {
  const names = listCountries('de').map(({ name }) => name)
  expect(names).toContain('Deutschland')
  expect(names.indexOf('Österreich')).toBeLessThan(names.indexOf('Polen'))
  expect(names.length).toBe(249)
})

test('a slug is suggested from a name', () => {
  expect(suggestSlug('Müller & Söhne Straße 5')).toBe('mueller-soehne-strasse-5')
  expect(suggestSlug('  Café — Ōsaka ')).toBe('cafe-osaka')
  expect(suggestSlug('東京')).toBe('')
})

test('a name without a visible character is replaced by the slug', () => {
  expect(tenantDisplayName({ name: '\u200B \u00A0', slug: 'acme' })).toBe('acme')
  expect(tenantDisplayName({ name: '日本', slug: 'acme' })).toBe('日本')
})
