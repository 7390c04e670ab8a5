import type { H3Event } from 'h3'

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// A version is a GraphQL `Int`, which has 32 bits.
export const isVersion = (value: unknown): value is number =>
  Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31

/** Returns the body of a request. Throws 400 if it is not a JSON object. */
export async function readObject(event: H3Event): Promise<JsonObject> {
  const body: unknown = await readBody(event)
  if (!isObject(body)) throw createError({ statusCode: 400 })
  return body
}

/** Returns the named properties that are strings or null. The others are dropped. */
export function pickTexts<Name extends string>(source: JsonObject, names: readonly Name[]): Partial<Record<Name, string | null>> {
  const picked: Partial<Record<Name, string | null>> = {}
  for (const name of names) {
    const value = source[name]
    if (typeof value === 'string' || value === null) picked[name] = value
  }
  return picked
}

/**
 * Returns an input with exactly the named properties of the body, all of which are strings. Throws 400 if one is
 * missing. The gateway validates the values, enum values included.
 */
export async function readTexts<Input>(event: H3Event, names: readonly (keyof Input & string)[]): Promise<Input> {
  const body = await readObject(event)
  if (!names.every((name) => typeof body[name] === 'string')) throw createError({ statusCode: 400 })
  return pickTexts(body, names) as Input
}

/** Returns an input with `id` and `version`, and with the named texts and flags of the body that are present. */
export async function readVersioned<Input>(
  event: H3Event,
  texts: readonly (keyof Input & string)[],
  flags: readonly (keyof Input & string)[] = [],
): Promise<Input> {
  const body = await readObject(event)
  const { id, version } = body
  if (typeof id !== 'string' || !isVersion(version)) throw createError({ statusCode: 400 })
  const presentFlags = flags.filter((name) => typeof body[name] === 'boolean').map((name) => [name, body[name]])
  return { id, version, ...pickTexts(body, texts), ...Object.fromEntries(presentFlags) } as Input
}
