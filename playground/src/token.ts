// Decodes the claims of a token, for display and renewal. Nothing here verifies the token.

interface Claims {
  sub?: unknown;
  exp?: unknown;
}

export function decodeClaims(token: string): Claims | null {
  const payload = token.split('.')[1];
  if (!payload) return null;
  try {
    const binary = atob(payload.replace(/-/g, '+').replace(/_/g, '/'));
    const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : null;
  } catch {
    return null;
  }
}

/** Returns when the token expires, in milliseconds since 1970, or null if it has no `exp`. */
export function tokenExpiry(token: string): number | null {
  const exp = decodeClaims(token)?.exp;
  return typeof exp === 'number' ? exp * 1000 : null;
}

/** How long before its expiry a token is renewed. */
const RENEWAL_MARGIN_MS = 60_000;

export function expiresSoon(token: string): boolean {
  const expiry = tokenExpiry(token);
  return expiry !== null && expiry - RENEWAL_MARGIN_MS < Date.now();
}
