// Keeps what the playground shows about the last response and the schema, outside the response body.
import { useSyncExternalStore } from 'react';

export interface ResponseInfo {
  /** The identity that sent the request, for display. */
  identity: string;
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
  responseInfo: ResponseInfo | null;
  schemaStatus: SchemaStatus;
}

let state: State = { responseInfo: null, schemaStatus: 'unknown' };
const listeners = new Set<() => void>();

function update(part: Partial<State>) {
  state = { ...state, ...part };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useResponseInfo = () => useSyncExternalStore(subscribe, () => state.responseInfo);
export const useSchemaStatus = () => useSyncExternalStore(subscribe, () => state.schemaStatus);

interface ReceivedResponse {
  response: Response;
  body: unknown;
  identity: string;
  durationMs: number;
}

export function recordResponse({ response, body, identity, durationMs }: ReceivedResponse) {
  const { status, statusText, headers } = response;
  const requestId = headers.get('x-request-id');
  update({
    responseInfo: { identity, status, statusText, durationMs, requestId, errorCodes: countErrorCodes(body) },
  });
}

type ErrorsBody = { errors?: { extensions?: { code?: unknown } }[] };

function countErrorCodes(body: unknown): [string, number][] {
  const counts = new Map<string, number>();
  const errors = (body as ErrorsBody | null)?.errors;
  for (const error of Array.isArray(errors) ? errors : []) {
    const code = String(error?.extensions?.code ?? 'ERROR');
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts];
}

export function recordIntrospection(body: unknown) {
  const data = (body as { data?: { __schema?: unknown } | null } | null)?.data;
  update({ schemaStatus: data?.__schema ? 'available' : 'disabled' });
}

export function recordSchemaUnreachable() {
  update({ schemaStatus: 'unreachable' });
}
