import { randomUUID } from 'node:crypto'
import type { H3Event } from 'h3'
import { ViewerDocument, type TypedDocumentString } from '../gql/graphql'
import type { ApiError, InputError } from '#shared/types/api-error'

// Slightly longer than the gateway's own request timeout, so that the gateway's error is the one displayed.
const GATEWAY_TIMEOUT_MS = 15_000

interface CallOptions {
  /** Paths of nullable fields that need a permission. A `FORBIDDEN` there is reported and does not fail the call. */
  guardedFields?: string[]
  /** Sent as `Idempotency-Key`. A mutation that is sent again with the same key is executed only once. */
  idempotencyKey?: string
}

interface GatewayResult<Data> {
  data: Data
  /** The `guardedFields` that the viewer may not see. */
  forbiddenFields: string[]
}

interface GraphQLError {
  path?: (string | number)[]
  extensions?: Record<string, unknown>
}

const fieldPath = (error: GraphQLError) => (error.path ?? []).join('.')

/**
 * Executes a GraphQL document on the gateway with the access token of the current session. Only the document's
 * hash is sent. The gateway looks it up in the list from `server/gql/persisted-documents.json`.
 */
export async function callGateway<Data, Variables>(
  event: H3Event,
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  options: CallOptions = {},
): Promise<GatewayResult<Data>> {
  try {
    return await callOnce(event, document, variables, options)
  } catch (error) {
    // The first request of a new user. `me` creates the user, after which the document can be executed.
    if (!hasCode(error, 'USER_NOT_PROVISIONED')) throw error
    await callOnce(event, ViewerDocument, {}, {})
    return await callOnce(event, document, variables, options)
  }
}

/**
 * Executes a mutation on the gateway and returns its data. The `Idempotency-Key` of the browser's request is passed on.
 */
export async function mutateGateway<Data, Input>(
  event: H3Event,
  document: TypedDocumentString<Data, { input: Input }>,
  input: Input,
): Promise<Data> {
  const idempotencyKey = getHeader(event, 'idempotency-key')
  const { data } = await callGateway(event, document, { input }, { idempotencyKey })
  return data
}

async function callOnce<Data, Variables>(
  event: H3Event,
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  { guardedFields = [], idempotencyKey }: CallOptions,
): Promise<GatewayResult<Data>> {
  const response = await sendRequest(event, idempotencyKey, {
    documentId: document.__meta__?.hash,
    variables,
  })
  const body = await response.json().catch(() => undefined)
  const errors: GraphQLError[] = body?.errors ?? []
  const isExpected = (error: GraphQLError) =>
    error.extensions?.code === 'FORBIDDEN' && guardedFields.includes(fieldPath(error))
  const failure = errors.find((error) => !isExpected(error))
  if (failure) throw await handleFailure(event, toApiError(failure, response))
  if (!body?.data) throw createApiError({ code: 'GATEWAY_UNREACHABLE', ...retryAfter(response) })
  return { data: body.data, forbiddenFields: errors.map(fieldPath) }
}

async function sendRequest(event: H3Event, idempotencyKey: string | undefined, body: object): Promise<Response> {
  const headers: Record<string, string> = {
    'accept': 'application/graphql-response+json',
    'authorization': `Bearer ${await requireAccessToken(event)}`,
    'content-type': 'application/json',
    // The gateway logs this ID, and an internal error displays it on the page.
    'x-request-id': randomUUID(),
  }
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
  const { gatewayUrl } = useRuntimeConfig(event)
  try {
    return await fetch(gatewayUrl, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(GATEWAY_TIMEOUT_MS),
    })
  } catch (error) {
    console.error('Request to the gateway failed:', error instanceof Error ? (error.cause ?? error.message) : error)
    throw createApiError({ code: 'GATEWAY_UNREACHABLE' })
  }
}

/** Ends the session if the gateway rejects its token, so that the next sign-in creates a new one. */
async function handleFailure(event: H3Event, error: ApiError) {
  if (error.code === 'UNAUTHENTICATED') await endSession(event)
  return createApiError(error)
}

function toApiError({ extensions = {} }: GraphQLError, response: Response): ApiError {
  const { code, requestId, retryAfterSeconds, fields, field, limit, max, actual } = extensions
  const error: ApiError = { code: isApiErrorCode(code) ? code : 'INTERNAL', ...retryAfter(response) }
  if (typeof requestId === 'string') error.requestId = requestId
  if (typeof retryAfterSeconds === 'number') error.retryAfterSeconds = retryAfterSeconds
  if (Array.isArray(fields)) error.fields = fields as InputError[]
  if (typeof field === 'string') error.field = field
  if (typeof limit === 'string') error.limit = limit
  if (typeof max === 'number') error.max = max
  if (typeof actual === 'number') error.actual = actual
  return error
}

/** Returns the response's `Retry-After` in seconds, if it has one. */
function retryAfter(response: Response): Pick<ApiError, 'retryAfterSeconds'> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isInteger(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {}
}

function hasCode(error: unknown, code: ApiError['code']): boolean {
  return isError(error) && (error.data as ApiError | undefined)?.code === code
}
