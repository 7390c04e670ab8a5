// Who asks: in `dev` one of the demo identities, else whoever's token was pasted.
import { useSyncExternalStore } from 'react';
import { keep, kept } from './storage';
import { expiresSoon } from './token';

export interface Identity {
  name: string;
  subject: string;
  description: string;
  token: string;
}

export const NOBODY = 'nobody';

export interface Session {
  /** Whether the gateway has demo identities. */
  dev: boolean;
  loading: boolean;
  /** Why there are no identities. */
  fault: string | null;
  identities: Identity[];
  /** The chosen identity's name; `nobody` sends no token. */
  chosen: string;
  /** How often somebody else was chosen by hand. */
  switches: number;
  /** A token that was pasted. It is kept here alone, and is gone with the page. */
  pasted: string;
}

const CHOICE = 'tenantry:identity';

let session: Session = {
  dev: document.body.dataset.mode === 'dev',
  loading: false,
  fault: null,
  identities: [],
  chosen: NOBODY,
  switches: 0,
  pasted: '',
};
const listeners = new Set<() => void>();

function change(part: Partial<Session>) {
  session = { ...session, ...part };
  for (const listener of listeners) listener();
}

export const current = () => session;

export function useSession(): Session {
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return useSyncExternalStore(subscribe, current);
}

let underWay: Promise<void> | null = null;

/** Asks for the identities, each with a fresh token. Whoever asks meanwhile waits for the same. */
export function renew(): Promise<void> {
  underWay ??= load().finally(() => {
    underWay = null;
  });
  return underWay;
}

async function load() {
  change({ loading: true, fault: null });
  const answer = await ask();
  if (typeof answer === 'string') return change({ loading: false, fault: answer });
  const wanted = session.identities.length > 0 ? session.chosen : kept(CHOICE);
  const known = wanted === NOBODY || answer.some(({ name }) => name === wanted);
  const chosen = known && wanted ? wanted : (answer[0]?.name ?? NOBODY);
  change({ identities: answer, chosen, loading: false });
}

/** The identities, or why there are none. */
async function ask(): Promise<Identity[] | string> {
  try {
    const response = await fetch('dev/identities', { cache: 'no-store' });
    if (response.ok) return (await response.json()) as Identity[];
    return `The identities are not told (${response.status})`;
  } catch {
    return 'The identities cannot be loaded: the gateway cannot be reached';
  }
}

export function choose(name: string) {
  change({ chosen: name });
  keep(CHOICE, name);
}

/** The same by hand: what is on the screen is asked again. */
export function switchTo(name: string) {
  choose(name);
  change({ switches: session.switches + 1 });
}

/** Takes a token as people paste it: with its scheme, with line breaks. */
export function paste(text: string) {
  change({ pasted: text.replace(/^\s*bearer\s+/i, '').replace(/\s+/g, '') });
}

const chosenIdentity = () => session.identities.find(({ name }) => name === session.chosen);

/** The token to send, renewed where it is about to expire; null for nobody. */
export async function token(): Promise<string | null> {
  if (!session.dev) return session.pasted || null;
  if (session.identities.length === 0) await renew();
  const identity = chosenIdentity();
  if (!identity) return null;
  if (expiresSoon(identity.token)) await renew();
  return chosenIdentity()?.token ?? null;
}

/** Who that is, for people. */
export function asWhom(): string {
  if (session.dev) return session.chosen;
  return session.pasted ? 'your token' : NOBODY;
}
