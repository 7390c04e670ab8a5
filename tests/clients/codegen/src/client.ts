// A client in one function: a document with its types goes in, data with errors by code comes out.
import type { TypedDocumentString } from './gql/graphql.js';

/** An error as the gateway has it; decide by `code`, never by `message`. */
export interface Fault {
  message: string;
  path?: (string | number)[];
  extensions: {
    code: string;
    fields?: { path: string; message: string }[];
    field?: string;
    currentVersion?: number;
    retryAfterSeconds?: number;
    requestId?: string;
  };
}

/** What was answered. `data` is null where nothing ran, or a field that cannot be null failed. */
export interface Answer<Data> {
  status: number;
  data: Data | null;
  errors: Fault[];
  /** After how many seconds to try again, where the gateway says so. */
  retryAfter: number | null;
}

export interface Settings {
  endpoint: string;
  token: string;
  /** Send a document's identifier instead of its text: it is in TENANTRY_DOCUMENTS_FILE. */
  trusted?: boolean;
}

export async function ask<Data, Variables>(
  { endpoint, token, trusted = false }: Settings,
  document: TypedDocumentString<Data, Variables>,
  variables: NoInfer<Variables>,
  idempotencyKey?: string,
): Promise<Answer<Data>> {
  const named = trusted
    ? { documentId: document.__meta__?.['hash'] as string }
    : { query: document.toString() };
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    // What is `undefined` is left out: it stays as it is. `null` is sent, and clears.
    body: JSON.stringify({ ...named, variables }),
  });
  // Refusals have a body like any answer; only what stands between may send something else.
  const body = (await response.json()) as { data?: Data | null; errors?: Fault[] };
  const wait = response.headers.get('retry-after');
  return {
    status: response.status,
    data: body.data ?? null,
    errors: body.errors ?? [],
    retryAfter: wait === null ? null : Number(wait),
  };
}
