// Sends GraphQL requests to the gateway that serves the page, with the token of the selected identity.
import type { Fetcher } from '@graphiql/toolkit';
import type { Operation } from './initial-operation';
import { containsOnlyQueries, resolveOperationName } from './operation';
import { recordIntrospection, recordOutcome, recordSchemaUnreachable, toResponseInfo } from './outcomes';
import { ANONYMOUS, fetchToken, getSession, identityLabel, refreshIdentities } from './session';

type FetchParameters = { query: string; operationName?: string | null; variables?: unknown };

/** Relative to the page, which is at `/` and at `/graphql`, below any host and path. */
const ENDPOINT = 'graphql';
const UNREACHABLE = 'The gateway is unreachable. Check that it is still running.';
/** The identity of a request whose credential is in the Headers editor, for display. */
const AUTHORIZATION_HEADER = 'Authorization header';
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
  const { query, variables } = parameters;
  const operationName = await resolveOperationName(query, parameters.operationName);
  const body = JSON.stringify({ query, variables, operationName });
  const post = async (token: string | null) => {
    const headers = new Headers(userHeaders);
    headers.set('content-type', 'application/json');
    if (token) headers.set('authorization', `Bearer ${token}`);
    return fetch(ENDPOINT, { method: 'POST', headers, body, signal });
  };
  // A credential in the Headers editor has precedence.
  if (userHeaders.has('authorization')) return { response: await post(null), identity: AUTHORIZATION_HEADER };
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

async function introspect(
  parameters: FetchParameters,
  userHeaders: Headers,
  signal: AbortSignal,
): Promise<unknown> {
  userHeaders.set('accept', 'application/json');
  try {
    const { response } = await send(parameters, userHeaders, signal);
    const body = await parseBody(response);
    recordIntrospection(body);
    return body;
  } catch (error) {
    recordSchemaUnreachable();
    if (signal.aborted) throw error;
    // This is not an `Error`, because GraphiQL would show the stack of one.
    throw { message: UNREACHABLE };
  }
}

/** Sends an operation and records the outcome. Without a response, it returns an error in the form of one. */
async function execute(parameters: FetchParameters, userHeaders: Headers, signal: AbortSignal): Promise<unknown> {
  userHeaders.set('accept', ACCEPT);
  const mayHaveWritten = !(await containsOnlyQueries(parameters.query));
  const startedAt = performance.now();
  try {
    const { response, identity } = await send(parameters, userHeaders, signal);
    const body = await parseBody(response);
    const info = toResponseInfo(response, body, performance.now() - startedAt);
    recordOutcome({ identity, mayHaveWritten, responseText: formatBody(body), response: info });
    return body;
  } catch (error) {
    if (signal.aborted) throw error;
    const body = { errors: [{ message: UNREACHABLE }] };
    const identity = userHeaders.has('authorization') ? AUTHORIZATION_HEADER : identityLabel();
    recordOutcome({ identity, mayHaveWritten, responseText: formatBody(body), response: null });
    return body;
  }
}

/** Formats a body as GraphiQL does. */
const formatBody = (body: unknown) => JSON.stringify(body, null, 2);

/** Sends an operation whose variables are JSON text. Returns the response as text. */
export async function sendOperation({ query, variables, operationName }: Operation): Promise<string> {
  let parsed: unknown;
  try {
    parsed = variables.trim() ? JSON.parse(variables) : undefined;
  } catch (error) {
    return formatBody({ errors: [{ message: `Request not sent. Variables are invalid JSON: ${String(error)}` }] });
  }
  const { signal } = new AbortController();
  return formatBody(await execute({ query, variables: parsed, operationName }, new Headers(), signal));
}

/** Returns an observable and not a promise, so that GraphiQL's stop button aborts the request. */
export const fetcher: Fetcher = (parameters, options) => ({
  subscribe(observer: { next(value: never): void; error(error: unknown): void; complete(): void }) {
    const controller = new AbortController();
    const headers = new Headers(options?.headers as Record<string, string> | undefined);
    const request = parameters.operationName === INTROSPECTION ? introspect : execute;
    request(parameters, headers, controller.signal).then(
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
