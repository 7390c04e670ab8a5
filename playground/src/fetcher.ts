// Sends documents to the gateway that served the page, with the token of whoever asks.
import type { Fetcher } from '@graphiql/toolkit';
import * as answers from './answers';
import { operationName } from './document';
import { asWhom, current, renew, token } from './session';

type Parameters = { query: string; operationName?: string | null; variables?: unknown };

/** Below wherever the page is: at `/` and at `/graphql` of any host and path. */
const ENDPOINT = 'graphql';
const UNREACHABLE = 'The gateway cannot be reached. Is it still running?';
const INTROSPECTION = 'IntrospectionQuery';
/** Statuses are the ones of GraphQL over HTTP; who looks at the schema wants no error in the console. */
const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

interface Sent {
  response: Response;
  as: string;
}

async function send(parameters: Parameters, own: Headers, signal: AbortSignal): Promise<Sent> {
  const { query, variables, operationName: wanted } = parameters;
  const body = JSON.stringify({ query, variables, operationName: operationName(query, wanted) });
  const post = async (bearer: string | null) => {
    const headers = new Headers(own);
    headers.set('content-type', 'application/json');
    if (bearer) headers.set('authorization', `Bearer ${bearer}`);
    return fetch(ENDPOINT, { method: 'POST', headers, body, signal });
  };
  // Who writes a credential into the headers means that one. The schema is the same for everybody.
  if (own.has('authorization')) return { response: await post(null), as: 'your header' };
  if (parameters.operationName === INTROSPECTION) return { response: await post(null), as: 'nobody' };
  const bearer = await token();
  const as = asWhom();
  const response = await post(bearer);
  if (response.status !== 401 || !bearer || !current().dev) return { response, as };
  // The gateway may have another key than when the token was made.
  await renew();
  return { response: await post(await token()), as: asWhom() };
}

async function json(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const message = `The answer is no JSON: ${response.status} ${response.statusText}`.trim();
    return { errors: [{ message }] };
  }
}

async function ask(parameters: Parameters, own: Headers, signal: AbortSignal): Promise<unknown> {
  const schema = parameters.operationName === INTROSPECTION;
  own.set('accept', schema ? 'application/json' : ACCEPT);
  const started = performance.now();
  try {
    const { response, as } = await send(parameters, own, signal);
    const value = await json(response);
    if (schema) answers.schemaAnswered(value);
    else answers.record({ response, value, as, millis: performance.now() - started });
    return value;
  } catch (error) {
    if (schema) answers.schemaUnreachable();
    if (signal.aborted) throw error;
    // Not an Error: GraphiQL would show its stack.
    throw { message: UNREACHABLE };
  }
}

/** As an observable, so that the button that stops a request does stop it. */
export const fetcher: Fetcher = (parameters, options) => ({
  subscribe(observer: { next(value: never): void; error(error: unknown): void; complete(): void }) {
    const controller = new AbortController();
    const headers = new Headers(options?.headers as Record<string, string> | undefined);
    ask(parameters, headers, controller.signal).then(
      (value) => {
        if (controller.signal.aborted) return;
        observer.next(value as never);
        observer.complete();
      },
      (error: unknown) => controller.signal.aborted || observer.error(error),
    );
    return { unsubscribe: () => controller.abort() };
  },
}) as ReturnType<Fetcher>;
