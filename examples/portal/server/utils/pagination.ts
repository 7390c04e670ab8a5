const PAGE_SIZE = 20
const LARGE_PAGE_SIZE = 100

/** The Relay arguments of a page: the first page, the page after a cursor, or the page before one. */
export interface PageArguments {
  first?: number
  after?: string
  last?: number
  before?: string
}

/** Returns the page arguments in a URL query. `size=100` asks for a large page. */
export function pageArguments(query: Record<string, unknown>): PageArguments {
  const { after, before } = query
  const size = query.size === String(LARGE_PAGE_SIZE) ? LARGE_PAGE_SIZE : PAGE_SIZE
  if (typeof before === 'string' && before) return { last: size, before }
  if (typeof after === 'string' && after) return { first: size, after }
  return { first: size }
}
