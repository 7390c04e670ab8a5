/** Suggests a slug for a tenant with a name: letters without accents, digits and hyphens. */
export const suggestSlug = (name: string) =>
  name
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replace(/[äöü]/g, (umlaut) => ({ ä: 'ae', ö: 'oe', ü: 'ue' })[umlaut] ?? umlaut)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
