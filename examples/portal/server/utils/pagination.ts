const PAGE_SIZE = 20

/** The Relay arguments of a page: the first page, the page after a cursor, or the page before one. */
export interface PageArguments {
  first?: number
  after?: string
  last?: number
  before?: string
}

/** Returns the page arguments in a URL query. */
export function pageArguments(query: Record<string, unknown>): PageArguments {
  const { after, before } = query
  if (typeof before === 'string' && before) return { last: PAGE_SIZE, before }
  if (typeof after === 'string' && after) return { first: PAGE_SIZE, after }
  return { first: PAGE_SIZE }
}
