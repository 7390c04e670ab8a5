// Sends a request to the gateway that serves the page, with the token of an identity.
import { resolveOperationName } from './operation';
import { ANONYMOUS, fetchToken, getSession, identityLabel, refreshIdentities } from './session';

export interface FetchParameters {
  query: string;
  operationName?: string | null;
  variables?: unknown;
}

/** Relative to the page, which is at `/` and at `/graphql`, below any host and path. */
const ENDPOINT = 'graphql';
export const UNREACHABLE = 'The gateway is unreachable. Check that it is still running.';
/** The identity of a request whose credential is in the Headers editor, for display. */
const AUTHORIZATION_HEADER = 'Authorization header';
export const INTROSPECTION = 'IntrospectionQuery';

export interface SendResult {
  response: Response;
  /** The identity that sent the request, for display. */
  identity: string;
}

/** Sends a request as the demo identity `selected`. Without demo identities, the pasted token is sent. */
export async function send(
  parameters: FetchParameters,
  userHeaders: Headers,
  signal: AbortSignal,
  selected = getSession().selected,
): Promise<SendResult> {
  const { query, variables } = parameters;
  const operationName = await resolveOperationName(query, parameters.operationName);
  const body = JSON.stringify({ query, variables, operationName });
  const post = async (token: string | null) => {
    const headers = new Headers(userHeaders);
    headers.set('content-type', 'application/json');
    if (token) headers.set('authorization', `Bearer ${token}`);
    return fetch(ENDPOINT, { method: 'POST', headers, body, signal });
  };
  const identity = senderLabel(userHeaders, selected);
  // A credential in the Headers editor has precedence.
  if (userHeaders.has('authorization')) return { response: await post(null), identity };
  // The schema is the same for every caller, so introspection sends no token.
  if (operationName === INTROSPECTION) return { response: await post(null), identity: ANONYMOUS };
  const token = await fetchToken(selected);
  const response = await post(token);
  if (response.status !== 401 || !token || !getSession().devMode) return { response, identity };
  // The gateway may have another signing key than when it issued the token.
  await refreshIdentities();
  return { response: await post(await fetchToken(selected)), identity };
}

/** Returns the identity that sends a request with these headers, for display. */
export const senderLabel = (userHeaders: Headers, selected = getSession().selected) =>
  userHeaders.has('authorization') ? AUTHORIZATION_HEADER : identityLabel(selected);

export async function parseBody(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const message = `The response is not JSON: ${response.status} ${response.statusText}`.trim();
    return { errors: [{ message }] };
  }
}

/** Formats a body as GraphiQL does. */
export const formatBody = (body: unknown) => JSON.stringify(body, null, 2);
