// Sends GraphQL requests to the gateway that serves the page, with the token of the selected identity.
import type { Fetcher } from '@graphiql/toolkit';
import { resolveOperationName } from './operation';
import { recordIntrospection, recordResponse, recordSchemaUnreachable } from './response-info';
import { ANONYMOUS, fetchToken, getSession, identityLabel, refreshIdentities } from './session';

type FetchParameters = { query: string; operationName?: string | null; variables?: unknown };

/** Relative to the page, which is at `/` and at `/graphql`, below any host and path. */
const ENDPOINT = 'graphql';
const UNREACHABLE = 'The gateway is unreachable. Check that it is still running.';
const INTROSPECTION = 'IntrospectionQuery';
/**
 * Selects the status codes of GraphQL over HTTP. Introspection accepts only `application/json`, because a
 * rejected introspection would otherwise log an error in the browser's console.
 */
const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

interface SendResult {
  response: Response;
  /** The identity that sent the request, for display. */
  identity: string;
}

async function send(parameters: FetchParameters, userHeaders: Headers, signal: AbortSignal): Promise<SendResult> {
  const { query, variables, operationName } = parameters;
  const body = JSON.stringify({ query, variables, operationName: resolveOperationName(query, operationName) });
  const post = async (token: string | null) => {
    const headers = new Headers(userHeaders);
    headers.set('content-type', 'application/json');
    if (token) headers.set('authorization', `Bearer ${token}`);
    return fetch(ENDPOINT, { method: 'POST', headers, body, signal });
  };
  // A credential in the Headers editor has precedence.
  if (userHeaders.has('authorization')) return { response: await post(null), identity: 'Authorization header' };
  // The schema is the same for every caller, so introspection sends no token.
  if (operationName === INTROSPECTION) return { response: await post(null), identity: ANONYMOUS };
  const token = await fetchToken();
  const identity = identityLabel();
  const response = await post(token);
  if (response.status !== 401 || !token || !getSession().devMode) return { response, identity };
  // The gateway may have another signing key than when it issued the token.
  await refreshIdentities();
  return { response: await post(await fetchToken()), identity: identityLabel() };
}

async function parseBody(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const message = `The response is not JSON: ${response.status} ${response.statusText}`.trim();
    return { errors: [{ message }] };
  }
}

async function execute(parameters: FetchParameters, userHeaders: Headers, signal: AbortSignal): Promise<unknown> {
  const isIntrospection = parameters.operationName === INTROSPECTION;
  userHeaders.set('accept', isIntrospection ? 'application/json' : ACCEPT);
  const startedAt = performance.now();
  try {
    const { response, identity } = await send(parameters, userHeaders, signal);
    const body = await parseBody(response);
    if (isIntrospection) recordIntrospection(body);
    else recordResponse({ response, body, identity, durationMs: performance.now() - startedAt });
    return body;
  } catch (error) {
    if (isIntrospection) recordSchemaUnreachable();
    if (signal.aborted) throw error;
    // This is not an `Error`, because GraphiQL would show the stack of one.
    throw { message: UNREACHABLE };
  }
}

/** Returns an observable and not a promise, so that GraphiQL's stop button aborts the request. */
export const fetcher: Fetcher = (parameters, options) => ({
  subscribe(observer: { next(value: never): void; error(error: unknown): void; complete(): void }) {
    const controller = new AbortController();
    const headers = new Headers(options?.headers as Record<string, string> | undefined);
    execute(parameters, headers, controller.signal).then(
      (body) => {
        if (controller.signal.aborted) return;
        observer.next(body as never);
        observer.complete();
      },
      (error: unknown) => controller.signal.aborted || observer.error(error),
    );
    return { unsubscribe: () => controller.abort() };
  },
}) as ReturnType<Fetcher>;
