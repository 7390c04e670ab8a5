// Sends the operations of GraphiQL and of the form. Subscriptions become live operations.
import type { Fetcher } from '@graphiql/toolkit';
import type { Operation } from './initial-operation';
import { startLiveOperation, takeShownAgain, type Observer } from './live';
import { containsOnlyQueries, isSubscription } from './operation';
import { recordIntrospection, recordOutcome, recordSchemaUnreachable, toResponseInfo } from './outcomes';
import { formatBody, INTROSPECTION, parseBody, send, senderLabel, UNREACHABLE, type FetchParameters } from './send';

/**
 * Selects the status codes of GraphQL over HTTP. Introspection accepts only `application/json`, because a
 * rejected introspection would otherwise log an error in the browser's console.
 */
const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

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
    recordOutcome({ identity: senderLabel(userHeaders), mayHaveWritten, responseText: formatBody(body), response: null });
    return body;
  }
}

/** Sends an operation whose variables are JSON text. Returns the response as text. */
export async function sendOperation({ query, variables, operationName }: Operation): Promise<string> {
  let parsed: unknown;
  try {
    parsed = variables.trim() ? JSON.parse(variables) : undefined;
  } catch (error) {
    return formatBody({ errors: [{ message: `Request not sent. Variables are invalid JSON: ${String(error)}` }] });
  }
  if (await isSubscription(query, operationName)) {
    return formatBody({ errors: [{ message: 'Request not sent. Live operations run as soon as the editor is loaded.' }] });
  }
  const { signal } = new AbortController();
  return formatBody(await execute({ query, variables: parsed, operationName }, new Headers(), signal));
}

/** Returns an observable and not a promise, so that GraphiQL's stop button ends the operation. */
export const fetcher: Fetcher = (parameters, options) => {
  const isIntrospection = parameters.operationName === INTROSPECTION;
  const shownAgain = isIntrospection ? null : takeShownAgain();
  const subscribe = (observer: Observer) => {
    if (shownAgain) return shownAgain.show(observer);
    const headers = new Headers(options?.headers as Record<string, string> | undefined);
    return isIntrospection ? request(introspect, parameters, headers, observer) : run(parameters, headers, observer);
  };
  return { subscribe } as ReturnType<Fetcher>;
};

type Request = typeof execute;

/** Sends a request that has one response. */
function request(perform: Request, parameters: FetchParameters, headers: Headers, observer: Observer) {
  const controller = new AbortController();
  perform(parameters, headers, controller.signal).then(
    (body) => {
      if (controller.signal.aborted) return;
      observer.next(body);
      observer.complete();
    },
    (error: unknown) => controller.signal.aborted || observer.error(error),
  );
  return { unsubscribe: () => controller.abort() };
}

/** Runs an operation as a live one if it is a subscription. */
function run(parameters: FetchParameters, headers: Headers, observer: Observer) {
  let unsubscribed = false;
  let operation = { unsubscribe: () => {} };
  void isSubscription(parameters.query, parameters.operationName).then((live) => {
    if (unsubscribed) return;
    operation = live
      ? startLiveOperation(parameters, headers, observer)
      : request(execute, parameters, headers, observer);
  });
  return {
    unsubscribe: () => {
      unsubscribed = true;
      operation.unsubscribe();
    },
  };
}
