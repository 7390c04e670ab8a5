export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

export interface Locale {
  language: Language
  /** The most preferred language tag of that language, for dates and numbers. */
  tag: string
}

const DEFAULT: Locale = { language: 'en', tag: 'en-GB' }

/**
 * Returns the locale that an `Accept-Language` header prefers (RFC 9110, section 12.5.4). A range matches by its primary
 * language. Without a match, the locale is English.
 */
export function negotiateLocale(acceptLanguage: string | undefined): Locale {
  const ranges = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(/\s*;\s*/)
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      return { tag, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  for (const { tag } of ranges) {
    if (tag === '*') return DEFAULT
    const language = LANGUAGES.find((candidate) => candidate === tag.toLowerCase().split('-')[0])
    if (language) return { language, tag: canonicalTag(tag) ?? language }
  }
  return DEFAULT
}

function canonicalTag(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch {
    return undefined
  }
}
