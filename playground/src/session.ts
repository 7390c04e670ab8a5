// The identity that requests are sent with. In `tenantry dev` it is one of the demo identities. In
// `tenantry serve` it is the subject of a pasted token.
import { useSyncExternalStore } from 'react';
import { loadItem, saveItem } from './storage';
import { expiresSoon } from './token';

export interface Identity {
  name: string;
  subject: string;
  description: string;
  token: string;
}

/** The name of the identity that sends no token. */
export const ANONYMOUS = 'anonymous';

export interface Session {
  /** Whether the gateway runs as `tenantry dev` and has demo identities. */
  devMode: boolean;
  loading: boolean;
  /** The reason why the identities could not be loaded. */
  error: string | null;
  identities: Identity[];
  /** The name of the selected identity, or `ANONYMOUS`. */
  selected: string;
  /** The number of times the user has selected an identity in the top bar. */
  manualSelections: number;
  /** The token that the user has pasted. It is held in memory only and is lost when the page closes. */
  pastedToken: string;
}

const IDENTITY_KEY = 'tenantry:identity';

/** The demo identity of the first example, which the page opens with. */
const FIRST_IDENTITY = 'bob';

let session: Session = {
  devMode: document.body.dataset.mode === 'dev',
  loading: false,
  error: null,
  identities: [],
  selected: ANONYMOUS,
  manualSelections: 0,
  pastedToken: '',
};
const listeners = new Set<() => void>();

function update(part: Partial<Session>) {
  session = { ...session, ...part };
  for (const listener of listeners) listener();
}

export const getSession = () => session;

export function useSession(): Session {
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return useSyncExternalStore(subscribe, getSession);
}

let pendingRefresh: Promise<void> | null = null;

/** Loads the identities, each with a new token. Concurrent calls share one request. */
export function refreshIdentities(): Promise<void> {
  pendingRefresh ??= loadIdentities().finally(() => {
    pendingRefresh = null;
  });
  return pendingRefresh;
}

async function loadIdentities() {
  update({ loading: true, error: null });
  const identities = await fetchIdentities();
  if (typeof identities === 'string') return update({ loading: false, error: identities });
  const wanted = session.identities.length > 0 ? session.selected : (loadItem(IDENTITY_KEY) ?? FIRST_IDENTITY);
  const exists = wanted === ANONYMOUS || identities.some(({ name }) => name === wanted);
  const selected = exists && wanted ? wanted : (identities[0]?.name ?? ANONYMOUS);
  update({ identities, selected, loading: false });
}

/** Returns the identities, or the error message. */
async function fetchIdentities(): Promise<Identity[] | string> {
  try {
    const response = await fetch('dev/identities', { cache: 'no-store' });
    if (response.ok) return (await response.json()) as Identity[];
    return `Cannot load the identities: the gateway responded with status ${response.status}`;
  } catch {
    return 'Cannot load the identities: the gateway is unreachable';
  }
}

export function selectIdentity(name: string) {
  update({ selected: name });
  saveItem(IDENTITY_KEY, name);
}

/** Selects an identity for the user, which also runs the current query again. */
export function selectIdentityManually(name: string) {
  selectIdentity(name);
  update({ manualSelections: session.manualSelections + 1 });
}

/** Sets the pasted token. Removes a leading `Bearer` scheme and all white space, such as line breaks. */
export function setPastedToken(text: string) {
  update({ pastedToken: text.replace(/^\s*bearer\s+/i, '').replace(/\s+/g, '') });
}

const findToken = (wanted: string) => session.identities.find(({ name }) => name === wanted)?.token ?? null;

/**
 * Returns the token of a demo identity, or the pasted token. It is null for an anonymous request. Renews
 * a token that expires soon.
 */
export async function fetchToken(name: string): Promise<string | null> {
  if (!session.devMode) return session.pastedToken || null;
  const noIdentities = session.identities.length === 0;
  if (noIdentities) await refreshIdentities();
  // The first request may precede the identities, which also select one.
  const wanted = noIdentities ? session.selected : name;
  const token = findToken(wanted);
  if (token && expiresSoon(token)) await refreshIdentities();
  return findToken(wanted);
}

/** Returns the name of an identity for display. */
export function identityLabel(selected = session.selected): string {
  if (session.devMode) return selected;
  return session.pastedToken ? 'pasted token' : ANONYMOUS;
}
