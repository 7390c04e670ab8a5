import type { Country } from '~/utils/countries'

/**
 * Returns all countries with their names in the browser's language. The list of the server is kept, because the names
 * in the browser may be of another Unicode version.
 */
export function useCountries(): Country[] {
  const { locale } = useI18n()
  return useState('countries', () => listCountries(locale)).value
}
