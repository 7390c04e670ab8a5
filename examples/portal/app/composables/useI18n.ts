/** Returns the translator of the browser's language. Templates use `$t` and `$label` instead. */
export const useI18n = () => useNuxtApp().$i18n
