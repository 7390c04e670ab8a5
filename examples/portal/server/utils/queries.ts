import type { H3Event } from 'h3'
import type { AuditFilter } from '../gql/graphql'

/** Returns the tenant's slug in the path of a request. */
export const slugParameter = (event: H3Event): string => getRouterParam(event, 'slug', { decode: true }) ?? ''

/** Returns a URL parameter, or undefined if it is absent, empty or repeated. */
export function textParameter(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns a URL parameter if it is one of `values`, and otherwise undefined. */
export function choiceParameter<Value extends string>(
  query: Record<string, unknown>,
  name: string,
  values: readonly Value[],
): Value | undefined {
  return values.find((value) => value === query[name])
}

/** Returns the filter of an audit log in a URL query. `since` and `until` are dates, both inclusive, in UTC. */
export function auditFilter(query: Record<string, unknown>): AuditFilter {
  return {
    action: textParameter(query, 'action'),
    actorId: textParameter(query, 'actor'),
    tenantId: textParameter(query, 'tenant'),
    since: dayStart(query, 'since'),
    until: dayStart(query, 'until', 1),
  }
}

function dayStart(query: Record<string, unknown>, name: string, daysLater = 0): string | undefined {
  const day = textParameter(query, name)
  const start = new Date(`${day}T00:00:00Z`)
  if (!day || Number.isNaN(start.getTime())) return undefined
  start.setUTCDate(start.getUTCDate() + daysLater)
  return start.toISOString()
}
