import type { ApiError } from '#shared/types/api-error'

interface FetchFailure {
  statusCode?: number
  data?: { data?: Partial<ApiError>; code?: string }
}

/**
 * Returns the API error in an exception of a request. Its data may be nested one level deeper, depending on
 * whether the request ran before or after the first rendering.
 */
export function toApiError(exception: unknown): ApiError {
  const { data, statusCode } = (exception ?? {}) as FetchFailure
  const apiError = data?.data ?? data
  if (apiError && 'code' in apiError && apiError.code) return apiError as ApiError
  if (statusCode === 413) return { code: 'LIMIT_EXCEEDED' }
  // Without a status there was no response. With one, something between the browser and the portal responded.
  return { code: statusCode === undefined || statusCode === 0 ? 'PORTAL_UNREACHABLE' : 'INTERNAL' }
}
