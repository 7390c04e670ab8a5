// What is known of the last answer and of the schema, besides what the answer itself shows.
import { useSyncExternalStore } from 'react';

export interface Answer {
  as: string;
  status: number;
  statusText: string;
  millis: number;
  requestId: string | null;
  /** Each code with how often it is there. */
  codes: [code: string, count: number][];
}

/** Whether the gateway tells its schema. */
export type Schema = 'unknown' | 'told' | 'withheld' | 'unreachable';

interface State {
  answer: Answer | null;
  schema: Schema;
}

let state: State = { answer: null, schema: 'unknown' };
const listeners = new Set<() => void>();

function change(part: Partial<State>) {
  state = { ...state, ...part };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useAnswer = () => useSyncExternalStore(subscribe, () => state.answer);
export const useSchemaState = () => useSyncExternalStore(subscribe, () => state.schema);

interface Raw {
  response: Response;
  value: unknown;
  as: string;
  millis: number;
}

export function record({ response, value, as, millis }: Raw) {
  const { status, statusText, headers } = response;
  const requestId = headers.get('x-request-id');
  change({ answer: { as, status, statusText, millis, requestId, codes: codes(value) } });
}

type Errors = { errors?: { extensions?: { code?: unknown } }[] };

function codes(value: unknown): [string, number][] {
  const counts = new Map<string, number>();
  const errors = (value as Errors | null)?.errors;
  for (const error of Array.isArray(errors) ? errors : []) {
    const code = String(error?.extensions?.code ?? 'ERROR');
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts];
}

export function schemaAnswered(value: unknown) {
  const data = (value as { data?: { __schema?: unknown } | null } | null)?.data;
  change({ schema: data?.__schema ? 'told' : 'withheld' });
}

export function schemaUnreachable() {
  change({ schema: 'unreachable' });
}
