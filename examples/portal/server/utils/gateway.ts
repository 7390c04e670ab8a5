import { randomUUID } from 'node:crypto'
import type { H3Event } from 'h3'
import { MeDocument, type TypedDocumentString } from '../gql/graphql'
import type { FieldFault, Problem } from '#shared/types/problem'

// A little longer than the gateway gives a request, so that its own answer is the one that is shown.
const PATIENCE = 15_000

interface Options {
  /** Fields that may be null for want of a right: what is denied there is told, and no failure. */
  guarded?: string[]
  /** With it, a mutation that is sent again is done once. */
  idempotencyKey?: string
}

interface Answer<Result> {
  data: Result
  /** Those of the `guarded` fields that are not for the viewer. */
  denied: string[]
}

interface GraphQLError {
  path?: (string | number)[]
  extensions?: Record<string, unknown>
}

/**
 * Asks the gateway, with the access token of whoever asks the portal. A document goes by its name (its
 * hash), which the gateway knows from the list in `server/gql/persisted-documents.json`.
 */
export async function ask<Result, Variables>(
  event: H3Event,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  options: Options = {},
): Promise<Answer<Result>> {
  try {
    return await askOnce(event, document, variables, options)
  } catch (error) {
    // The first request of a new user: `me` makes the user, and then it is as for anybody else.
    if (!isProblem(error, 'USER_NOT_PROVISIONED')) throw error
    await askOnce(event, MeDocument, {}, {})
    return await askOnce(event, document, variables, options)
  }
}

async function askOnce<Result, Variables>(
  event: H3Event,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { guarded = [], idempotencyKey }: Options,
): Promise<Answer<Result>> {
  const response = await send(event, idempotencyKey, {
    documentId: document.__meta__?.hash,
    variables,
  })
  const body = await response.json().catch(() => undefined)
  const errors: GraphQLError[] = body?.errors ?? []
  const isDenial = (error: GraphQLError) =>
    error.extensions?.code === 'FORBIDDEN' && guarded.includes((error.path ?? []).join('.'))
  const failure = errors.find((error) => !isDenial(error))
  if (failure) throw await failed(event, problemOf(failure, response))
  if (!body?.data) throw problem({ code: 'GATEWAY_AWAY', ...waiting(response) })
  return { data: body.data, denied: errors.map((error) => (error.path ?? []).join('.')) }
}

async function send(event: H3Event, idempotencyKey: string | undefined, body: object): Promise<Response> {
  const headers: Record<string, string> = {
    'accept': 'application/graphql-response+json',
    'authorization': `Bearer ${await accessTokenOf(event)}`,
    'content-type': 'application/json',
    // In both logs, and on the page where something is wrong inside.
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
      signal: AbortSignal.timeout(PATIENCE),
    })
  } catch (error) {
    console.error('The gateway did not answer:', error instanceof Error ? (error.cause ?? error.message) : error)
    throw problem({ code: 'GATEWAY_AWAY' })
  }
}

/** A session whose token the gateway refuses is of no use: the next sign-in makes a new one. */
async function failed(event: H3Event, data: Problem) {
  if (data.code === 'UNAUTHENTICATED') await endSession(event)
  return problem(data)
}

function problemOf({ extensions = {} }: GraphQLError, response: Response): Problem {
  const { code, requestId, retryAfterSeconds, fields, field, limit, max, actual } = extensions
  const told: Problem = { code: isCode(code) ? code : 'INTERNAL', ...waiting(response) }
  if (typeof requestId === 'string') told.requestId = requestId
  if (typeof retryAfterSeconds === 'number') told.retryAfterSeconds = retryAfterSeconds
  if (Array.isArray(fields)) told.fields = fields as FieldFault[]
  if (typeof field === 'string') told.field = field
  if (typeof limit === 'string') told.limit = limit
  if (typeof max === 'number') told.max = max
  if (typeof actual === 'number') told.actual = actual
  return told
}

/** How long to wait, where the answer says so. */
function waiting(response: Response): Pick<Problem, 'retryAfterSeconds'> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isInteger(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {}
}

function isProblem(error: unknown, code: Problem['code']): boolean {
  return isError(error) && (error.data as Problem | undefined)?.code === code
}
