// Keeps the outcome of the latest request, and whether the schema could be loaded.
import { useSyncExternalStore } from 'react';

/** What is known about a request besides the body of its response. */
export interface Outcome {
  /** The identity that sent the request, for display. */
  identity: string;
  /** The text that the page shows as the response. */
  responseText: string;
  /** Whether the document has a mutation, so that the demo data may have changed. */
  mayHaveWritten: boolean;
  /** The response, or null if none arrived. */
  response: ResponseInfo | null;
}

export interface ResponseInfo {
  status: number;
  statusText: string;
  durationMs: number;
  requestId: string | null;
  /** Each error code with the number of errors that have it. */
  errorCodes: [code: string, count: number][];
}

/** Whether the schema could be loaded. It is `disabled` if the gateway rejects introspection. */
export type SchemaStatus = 'unknown' | 'available' | 'disabled' | 'unreachable';

interface State {
  latestOutcome: Outcome | null;
  schemaStatus: SchemaStatus;
}

let state: State = { latestOutcome: null, schemaStatus: 'unknown' };
const listeners = new Set<() => void>();

function update(part: Partial<State>) {
  state = { ...state, ...part };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useLatestOutcome = () => useSyncExternalStore(subscribe, () => state.latestOutcome);
export const useSchemaStatus = () => useSyncExternalStore(subscribe, () => state.schemaStatus);

export function recordOutcome(outcome: Outcome) {
  update({ latestOutcome: outcome });
}

export function toResponseInfo(response: Response, body: unknown, durationMs: number): ResponseInfo {
  const { status, statusText, headers } = response;
  const requestId = headers.get('x-request-id');
  return { status, statusText, durationMs, requestId, errorCodes: countErrorCodes(body) };
}

type ErrorsBody = { errors?: { extensions?: { code?: unknown } }[] };

/** Returns each error code of a body with the number of errors that have it. */
export function countErrorCodes(body: unknown): [string, number][] {
  const counts = new Map<string, number>();
  const errors = (body as ErrorsBody | null)?.errors;
  for (const error of Array.isArray(errors) ? errors : []) {
    const code = String(error?.extensions?.code ?? 'ERROR');
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts];
}

/** Returns the code of the first error of a body, which is JSON text. */
export const firstErrorCode = (text: string) => countErrorCodes(text && JSON.parse(text))[0]?.[0] ?? null;

export function recordIntrospection(body: unknown) {
  const data = (body as { data?: { __schema?: unknown } | null } | null)?.data;
  update({ schemaStatus: data?.__schema ? 'available' : 'disabled' });
}

export function recordSchemaUnreachable() {
  update({ schemaStatus: 'unreachable' });
}
