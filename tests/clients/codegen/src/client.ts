// A typed GraphQL client in one function. GraphQL errors are returned beside the data, not thrown.
import type { TypedDocumentString } from './gql/graphql.js';

/** An error of the gateway. Decide by `extensions.code`, never by `message`. */
export interface GraphQLError {
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

/** A response. `data` is null if nothing was executed or if a non-null field failed. */
export interface GraphQLResponse<Data> {
  status: number;
  data: Data | null;
  errors: GraphQLError[];
  /** The `Retry-After` header in seconds, or null without one. */
  retryAfter: number | null;
}

export interface Settings {
  endpoint: string;
  token: string;
  /** Send the identifier of a trusted document (TENANTRY_TRUSTED_DOCUMENTS_FILE) instead of its text. */
  trusted?: boolean;
}

export async function execute<Data, Variables>(
  { endpoint, token, trusted = false }: Settings,
  document: TypedDocumentString<Data, Variables>,
  variables: NoInfer<Variables>,
  idempotencyKey?: string,
): Promise<GraphQLResponse<Data>> {
  const documentOrId = trusted
    ? { documentId: document.__meta__?.['hash'] as string }
    : { query: document.toString() };
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    // `undefined` is omitted and leaves a field unchanged. `null` is sent and clears it.
    body: JSON.stringify({ ...documentOrId, variables }),
  });
  // Every response of the gateway is JSON. The response of a proxy in between may not be.
  const body = (await response.json()) as { data?: Data | null; errors?: GraphQLError[] };
  const retryAfter = response.headers.get('retry-after');
  return {
    status: response.status,
    data: body.data ?? null,
    errors: body.errors ?? [],
    retryAfter: retryAfter === null ? null : Number(retryAfter),
  };
}
