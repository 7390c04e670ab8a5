import { negotiateLocale, type Language } from '#shared/i18n/locale'
import { createTranslator, type Messages } from '#shared/i18n/translator'

// Only the messages of the negotiated language are loaded.
const DICTIONARIES: Record<Language, () => Promise<Messages>> = {
  en: async () => (await import('#shared/i18n/en')).en,
  de: async () => (await import('#shared/i18n/de')).de,
}

// Provides the translator of the language that the browser prefers. The server negotiates, and the browser takes over
// the result, so both render the same texts.
export default defineNuxtPlugin(async () => {
  const header = useRequestHeaders(['accept-language'])['accept-language']
  const { value: locale } = useState('locale', () => negotiateLocale(header))
  const i18n = createTranslator(await DICTIONARIES[locale.language](), locale.language, locale.tag)
  useHead({ htmlAttrs: { lang: locale.language }, titleTemplate: (title) => (title ? `${title} · Portal` : 'Portal') })
  return { provide: { i18n, t: i18n.t, label: i18n.label } }
})
