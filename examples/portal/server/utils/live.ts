import type { H3Event } from 'h3'
import type { TypedDocumentString } from '../gql/graphql'
import type { ApiError, ApiErrorCode } from '#shared/types/api-error'
import { formatEvent, readEventStream } from './event-stream'

// A browser that has lost its stream connects again after this time, plus up to as much again, so that the browsers of
// a restarted gateway do not come all at once.
const RECONNECT_MS = 1_000

// After these errors, another attempt can succeed. After all others, the live operation has ended.
const TEMPORARY: ApiErrorCode[] = ['RATE_LIMITED', 'LIMIT_EXCEEDED', 'TIMEOUT', 'UNAVAILABLE', 'INTERNAL', 'GATEWAY_UNREACHABLE']

/**
 * Relays a live operation of the gateway to the browser as an event stream: `ready` at its start, `change` for each
 * event, `gap` if events may be missing, `end` with the code of the error that has ended it. A stream that ends without
 * `end` was interrupted. The browser then connects again and sends the ID of its last event, which is the gateway's
 * cursor.
 */
export async function relayLiveOperation<Data, Variables>(
  event: H3Event,
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<void> {
  const { res } = event.node
  const stop = new AbortController()
  res.on('close', () => stop.abort())
  setHeaders(event, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  res.write(`retry: ${Math.round(RECONNECT_MS * (1 + Math.random()))}\n\n`)
  const send = (type: string, data: object, id?: string) => void res.write(formatEvent(type, data, id))
  const run = async (cursor: string | undefined): Promise<void> => {
    const session = await openLiveSession(event, stop)
    const response = await subscribe(event, session, document, variables, cursor, stop.signal)
    send('ready', {})
    for await (const { type, id, data } of readEventStream(response)) {
      // The gateway's heartbeat also keeps the connection to the browser.
      if (type === undefined) res.write(':\n\n')
      if (type !== 'next') continue
      const { error, change } = parseResult(data)
      if (error?.code === 'BAD_USER_INPUT' && cursor !== undefined) throw new CursorError()
      if (error) throw createApiError(error)
      send('change', change, id)
    }
  }
  try {
    const cursor = getHeader(event, 'last-event-id') ?? textParameter(getQuery(event), 'since')
    await run(cursor).catch((error: unknown) => {
      if (!(error instanceof CursorError)) throw error
      // The gateway no longer has the changes after the cursor.
      send('gap', {})
      return run(undefined)
    })
  } catch (error) {
    const failure = (isError(error) ? error.data : undefined) as ApiError | undefined
    if (failure && !TEMPORARY.includes(failure.code) && !stop.signal.aborted) send('end', { code: failure.code })
  } finally {
    res.end()
  }
}

class CursorError extends Error {}

/** Returns the access token of the session. The live operation stops when the session ends. */
async function openLiveSession(event: H3Event, stop: AbortController): Promise<string> {
  const token = await requireAccessToken(event, textParameter(getQuery(event), 'viewer'))
  await stopWithSession(event, stop)
  return token
}

async function subscribe<Data, Variables>(
  event: H3Event,
  token: string,
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const headers: Record<string, string> = {
    'accept': 'text/event-stream',
    'authorization': `Bearer ${token}`,
    'content-type': 'application/json',
  }
  if (cursor !== undefined) headers['last-event-id'] = cursor
  const body = JSON.stringify({ documentId: document.__meta__?.hash, variables })
  const { gatewayUrl } = useRuntimeConfig(event)
  const response = await fetch(gatewayUrl, { method: 'POST', headers, body, redirect: 'error', signal })
  if (response.ok && response.body) return response.body as unknown as AsyncIterable<Uint8Array>
  const { error } = parseResult(await response.text())
  if (error?.code === 'UNAUTHENTICATED') await endSession(event)
  throw createApiError(error ?? { code: 'INTERNAL' })
}

/** Returns the error or the change in a response of the gateway. */
function parseResult(text: string): { error?: ApiError; change: object } {
  const { data, errors } = JSON.parse(text) as { data?: Record<string, object> | null; errors?: { extensions?: { code?: unknown } }[] }
  const code = errors?.[0]?.extensions?.code
  if (errors?.length) return { error: { code: isApiErrorCode(code) ? code : 'INTERNAL' }, change: {} }
  return { change: Object.values(data ?? {})[0] ?? {} }
}
