// The example operations. Each one demonstrates a feature of the gateway with one of the demo identities.
import index from '../examples/index.json';
import placeholderQuery from '../examples/PlaceholderValues.graphql?raw';
import { loadItem, saveItem } from './storage';

const queries: Record<string, string> = import.meta.glob('../examples/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** An entry of `examples/index.json`. */
interface Entry {
  name: string;
  group: string;
  /** The demo identity to run the example as. `anonymous` sends no token. */
  identity: string;
  variables?: unknown;
  headers?: Record<string, string>;
  /** The error codes of the expected response. */
  codes: string[];
  /** The example whose run is an event of this live operation. */
  changedBy?: string;
  /** Whether `tenantry dev` opens the example in a tab at the start. */
  defaultTab?: boolean;
  /** Whether the example works without the demo data. */
  withoutDemoData?: boolean;
}

export interface Example extends Entry {
  query: string;
  description: string;
}

/** Adds the document and its description, which is the comment at the top of the document. */
function toExample(entry: Entry): Example {
  const query = queries[`../examples/${entry.name}.graphql`] ?? '';
  const comments = query.split('\n').filter((line) => line.startsWith('# '));
  return { ...entry, query, description: comments.map((line) => line.slice(2)).join(' ') };
}

export const EXAMPLES: Example[] = (index as Entry[]).map(toExample);

/** Returns the examples that the page opens in tabs at the start. */
export const defaultExamples = (devMode: boolean) =>
  EXAMPLES.filter(({ defaultTab, withoutDemoData }) => (devMode ? defaultTab : withoutDemoData));

export const findExample = (query: string | null) => EXAMPLES.find((example) => example.query === query);

/** Values of the placeholders in variables, such as `$acme` (an ID), `$acme.version` and `$acme.toggledCancellation`. */
export type PlaceholderValues = Map<string, string | number | boolean>;

interface Tenant {
  id: string;
  slug: string;
  version: number;
  subscription: { id: string; cancelAtPeriodEnd: boolean } | null;
}

interface PlaceholderResponse {
  data?: {
    tenants: { nodes: Tenant[] };
    users: { nodes: { id: string; subject: string | null }[] };
  };
}

/** Fetches the placeholder values with the token of an identity that can read all demo data. */
export async function fetchPlaceholderValues(token: string): Promise<PlaceholderValues> {
  const values: PlaceholderValues = new Map();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query: placeholderQuery });
  const response = await fetch('graphql', { method: 'POST', headers, body });
  const { data } = (await response.json()) as PlaceholderResponse;
  for (const { slug, id, version, subscription } of data?.tenants.nodes ?? []) {
    values.set(slug, id).set(`${slug}.version`, version);
    if (!subscription) continue;
    values.set(`${slug}.subscription`, subscription.id);
    // The other value, so that each run of an example is a change.
    values.set(`${slug}.toggledCancellation`, !subscription.cancelAtPeriodEnd);
  }
  for (const { subject, id } of data?.users.nodes ?? []) if (subject) values.set(subject, id);
  return values;
}

/** An example's variables and headers as JSON text. */
export interface FilledExample {
  variables: string;
  headers: string;
}

/** Returns a short text for `$random`, so that examples can create documents with unique names. */
export const randomText = () => crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36);

/** Replaces the placeholders in an example's variables and headers. `$random` is the same text in both. */
export function fillPlaceholders(example: Example, values: PlaceholderValues, random: string): FilledExample {
  const fillText = (text: string) =>
    (text.startsWith('$') ? values.get(text.slice(1)) : null) ?? text.replace('$random', random);
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return fillText(value);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
  };
  const toJson = (value: unknown) => (value === undefined ? '' : JSON.stringify(fill(value), null, 2));
  return { variables: toJson(example.variables), headers: toJson(example.headers) };
}

const FILLED_VARIABLES_KEY = 'tenantry:filled';

/** Returns the variables that were last filled in, by example. Other variables were edited by the user. */
export function loadFilledVariables(): Record<string, string> {
  try {
    return JSON.parse(loadItem(FILLED_VARIABLES_KEY) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

export function saveFilledVariables(example: Example, variables: string) {
  saveItem(FILLED_VARIABLES_KEY, JSON.stringify({ ...loadFilledVariables(), [example.name]: variables }));
}
