const SIZE = 20

/** Which page of a list: the first, the one after a cursor, or the one before it. */
export interface Window {
  first?: number
  after?: string
  last?: number
  before?: string
}

/** The page that a query string asks for. */
export function windowOf(query: Record<string, unknown>): Window {
  const { after, before } = query
  if (typeof before === 'string' && before) return { last: SIZE, before }
  if (typeof after === 'string' && after) return { first: SIZE, after }
  return { first: SIZE }
}
