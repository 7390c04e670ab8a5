import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { de } from '#shared/i18n/de'
import { en } from '#shared/i18n/en'
import { negotiateLocale } from '#shared/i18n/locale'
import { createTranslator, type Message, type MessageKey, type Messages } from '#shared/i18n/translator'
import { isolate, splitIsolated } from '#shared/utils/bidi'
import { AUDIT_ACTIONS, PLANS, SUBSCRIPTION_STATUSES, TENANT_ROLES, TENANT_STATUSES } from '#shared/utils/enums'

const KEYS = Object.keys(en) as MessageKey[]
const english: Messages = en

const forms = (message: Message) => (typeof message === 'string' ? [message] : [message.one, message.other])
const placeholders = (message: Message) => [...new Set(forms(message).join(' ').match(/\{\w+\}/g))].sort()

describe('messages', () => {
  test('every message is in both languages', () => {
    expect(Object.keys(de).sort()).toEqual([...KEYS].sort())
    const empty = KEYS.filter((key) => [...forms(english[key]), ...forms(de[key])].some((text) => !text.trim()))
    expect(empty).toEqual([])
  })

  test('both languages have the same placeholders', () => {
    const different = KEYS.filter((key) => String(placeholders(english[key])) !== String(placeholders(de[key])))
    expect(different).toEqual([])
  })

  test('only names and technical terms are the same in both languages', () => {
    const same = KEYS.filter((key) => String(forms(english[key])) === String(forms(de[key])) && forms(english[key])[0]?.includes(' '))
    expect(same.filter((key) => key !== 'field.domain')).toEqual([])
  })

  test('every value that a user can choose has a label', () => {
    const values = {
      'role': TENANT_ROLES,
      'plan': PLANS,
      'status': [...TENANT_STATUSES, ...SUBSCRIPTION_STATUSES],
      'audit.action': AUDIT_ACTIONS,
      'source': ['GROUP', 'DIRECT'],
      'actorKind': ['USER', 'PLATFORM_ADMIN', 'SYSTEM'],
    }
    const keys = Object.entries(values).flatMap(([group, names]) => names.map((name) => `${group}.${name}`))
    expect(keys.filter((key) => !Object.hasOwn(en, key))).toEqual([])
  })

  test('every message is used', () => {
    const folders = ['app', 'shared/utils'].map((folder) => new URL(`../${folder}/`, import.meta.url))
    const source = folders
      .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => new URL(encodeURI(name).replace('#', '%23'), folder)))
      .filter(({ pathname }) => /\.(vue|ts)$/.test(pathname))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
    // Keys that are put together from a group and a value.
    const groups = /^(status|mail|role|plan|source|actorKind|audit\.action|audit\.field|users\.only|user\.(disable|enable|promote|demote)|notFound\.(page|tenant|user))(\.|$)/
    expect(KEYS.filter((key) => !groups.test(key) && !source.includes(`'${key}'`))).toEqual([])
  })
})

describe('translator', () => {
  const { t, label } = createTranslator(english, 'en', 'en-GB')

  test('a count selects the form and is formatted', () => {
    expect(t('tenants.found', { count: 1 })).toBe('1 tenant')
    expect(t('tenants.found', { count: 1234 })).toBe('1,234 tenants')
    expect(createTranslator(de, 'de', 'de-AT').t('tenants.found', { count: 0 })).toBe('0 Mandanten')
  })

  test('a value that looks like a pattern is inserted unchanged', () => {
    expect(t('form.saved', { name: '$& {name}' })).toBe('\u2068$& {name}\u2069 was saved.')
  })

  test('names are isolated from the sentence, and other values are not', () => {
    const sentence = t('member.removed', { name: 'אבג 3', tenant: 'Acme' })
    expect(splitIsolated(sentence)).toEqual(['', 'אבג 3', ' is no longer a member of ', 'Acme', '.'])
    expect(t('member.roleChanged', { name: 'Bob', role: 'Owner' })).toBe('\u2068Bob\u2069 now has the role Owner.')
    // A text cannot end its own isolation.
    expect(isolate('a\u2069b')).toBe('\u2068ab\u2069')
    expect(isolate('')).toBe('')
  })

  test('an unknown enum value is displayed unchanged', () => {
    expect(label('role', 'AUDITOR')).toBe('AUDITOR')
    expect(label('role', 'constructor')).toBe('constructor')
  })
})

test('the most preferred known language is chosen', () => {
  const locale = (header?: string) => {
    const { language, tag } = negotiateLocale(header)
    return `${language} ${tag}`
  }
  expect(locale('de-AT,de;q=0.9,en;q=0.8')).toBe('de de-AT')
  expect(locale('fr-FR, en-US;q=0.7, de;q=0.9')).toBe('de de')
  expect(locale('de;q=0, en-us')).toBe('en en-US')
  expect(locale('DE-ch')).toBe('de de-CH')
  for (const header of [undefined, '', 'fr', '*', 'en-', ';q=1', 'de-!!;q=x']) expect(locale(header)).toMatch(/^(en|de) /)
})
