import punycode from 'punycode/'

/** Returns the Unicode form of a domain, or undefined if it is the same as the ASCII form or cannot be decoded. */
export function unicodeDomain(domain: string): string | undefined {
  try {
    const unicode = punycode.toUnicode(domain)
    return unicode === domain ? undefined : unicode
  } catch {
    return undefined
  }
}
