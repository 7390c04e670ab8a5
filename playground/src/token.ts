// What a token says of itself, for display and for its renewal. Nothing here verifies it.

interface Claims {
  sub?: unknown;
  exp?: unknown;
}

export function claims(token: string): Claims | null {
  const payload = token.split('.')[1];
  if (!payload) return null;
  try {
    const binary = atob(payload.replace(/-/g, '+').replace(/_/g, '/'));
    const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** When it expires, in milliseconds since 1970. */
export function expiry(token: string): number | null {
  const exp = claims(token)?.exp;
  return typeof exp === 'number' ? exp * 1000 : null;
}

/** So long before a token's end a new one is asked for. */
const EARLY = 60_000;

export function expiresSoon(token: string): boolean {
  const at = expiry(token);
  return at !== null && at - EARLY < Date.now();
}
