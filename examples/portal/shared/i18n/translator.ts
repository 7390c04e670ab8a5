import type { en } from './en'
import { isolate } from '../utils/bidi'

/** The keys of all messages. `en.ts` defines them. */
export type MessageKey = keyof typeof en

// Placeholders of texts that users have entered. Their direction must not affect the sentence.
const USER_TEXTS = ['name', 'tenant', 'slug', 'domains', 'email']

/** A text with `{placeholders}`. With forms for `one` and `other`, the value `count` selects the form. */
export type Message = string | { one: string; other: string }

export type Messages = Record<MessageKey, Message>
export type MessageValues = Record<string, string | number>

export interface Translator {
  /** The language of the texts: `en` or `de`. */
  language: string
  /** The language tag that formats dates and numbers, for example `en-GB`. */
  locale: string
  /** Returns the message with a key, with its placeholders replaced. Names are isolated: see `IsolatedText.vue`. */
  t: (key: MessageKey, values?: MessageValues) => string
  /**
   * Returns the message `group.value`, for example `role.OWNER`. A newer gateway may return values that this portal
   * does not know. They are returned unchanged.
   */
  label: (group: string, value: string) => string
}

/** Creates a translator for the messages of one language. */
export function createTranslator(messages: Messages, language: string, locale: string): Translator {
  const plurals = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(locale)
  const t = (key: MessageKey, values: MessageValues = {}) => {
    const message = messages[key]
    const text = typeof message === 'string' ? message : plurals.select(Number(values.count)) === 'one' ? message.one : message.other
    return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
      const value = values[name]
      if (value === undefined) return placeholder
      if (typeof value === 'number') return numbers.format(value)
      return USER_TEXTS.includes(name) ? isolate(value) : value
    })
  }
  const isKey = (key: string): key is MessageKey => Object.hasOwn(messages, key)
  const label = (group: string, value: string) => {
    const key = `${group}.${value}`
    return isKey(key) ? t(key) : value
  }
  return { language, locale, t, label }
}
