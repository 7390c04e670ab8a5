// Operations that show what the gateway does, each for somebody of the demo data.
import index from '../examples/index.json';
import placesQuery from '../examples/Places.graphql?raw';
import { keep, kept } from './storage';

const texts: Record<string, string> = import.meta.glob('../examples/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});

interface Entry {
  name: string;
  group: string;
  /** For whom it shows something; `nobody` has no token. */
  as: string;
  variables?: unknown;
  headers?: Record<string, string>;
  /** The codes that are answered. */
  codes: string[];
  /** Whether it is open from the start. */
  tab?: boolean;
  /** Whether it needs nothing of the demo data. */
  anywhere?: boolean;
}

export interface Example extends Entry {
  query: string;
  about: string;
}

function example(entry: Entry): Example {
  const query = texts[`../examples/${entry.name}.graphql`] ?? '';
  const lines = query.split('\n').filter((line) => line.startsWith('# '));
  return { ...entry, query, about: lines.map((line) => line.slice(2)).join(' ') };
}

export const EXAMPLES: Example[] = (index as Entry[]).map(example);

export const exampleOf = (query: string | null) => EXAMPLES.find((e) => e.query === query);

/** What the variables of examples name: `$acme` an identifier, `$acme.version` a number. */
export type Places = Map<string, string | number>;

interface Found {
  data?: {
    tenants: { nodes: { id: string; slug: string; version: number; subscription: { id: string } | null }[] };
    users: { nodes: { id: string; subject: string | null }[] };
  };
}

/** Asks where everything is, with the token of somebody who sees all of it. */
export async function findPlaces(token: string): Promise<Places> {
  const places: Places = new Map();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query: placesQuery });
  const response = await fetch('graphql', { method: 'POST', headers, body });
  const { data } = (await response.json()) as Found;
  for (const { slug, id, version, subscription } of data?.tenants.nodes ?? []) {
    places.set(slug, id).set(`${slug}.version`, version);
    if (subscription) places.set(`${slug}.subscription`, subscription.id);
  }
  for (const { subject, id } of data?.users.nodes ?? []) if (subject) places.set(subject, id);
  return places;
}

const random = () => crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36);

/** An example's variables and headers as they go into the editors. */
export function filled(example: Example, places: Places): { variables: string; headers: string } {
  const once = random();
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return (value.startsWith('$') && places.get(value.slice(1))) || value.replace('$random', once);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
  };
  const text = (value: unknown) => (value === undefined ? '' : JSON.stringify(fill(value), null, 2));
  return { variables: text(example.variables), headers: text(example.headers) };
}

const LAST = 'tenantry:filled';

/** What was filled in last, by example: so that it can be told from what somebody wrote. */
export function lastFilled(): Record<string, string> {
  try {
    return JSON.parse(kept(LAST) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

export function remember(example: Example, variables: string) {
  keep(LAST, JSON.stringify({ ...lastFilled(), [example.name]: variables }));
}
