import type { Problem } from '#shared/types/problem'

interface Failure {
  statusCode?: number
  data?: { data?: Partial<Problem>; code?: string }
}

/** The problem in what a request threw, whichever side of the first rendering it was on. */
export function problemIn(error: unknown): Problem {
  const { data, statusCode } = (error ?? {}) as Failure
  const told = data?.data ?? data
  if (told && 'code' in told && told.code) return told as Problem
  if (statusCode === 413) return { code: 'LIMIT_EXCEEDED' }
  // Nothing was answered at all, or by something between the browser and the portal.
  return { code: statusCode === undefined || statusCode === 0 ? 'PORTAL_AWAY' : 'INTERNAL' }
}
