import type { AnyStatus } from '../types/api'

/** The meaning of a status. It selects the badge colour, which always comes with a text label. */
export type Tone = 'success' | 'neutral' | 'warning' | 'danger'

const TONES: Record<AnyStatus, Tone> = {
  PENDING: 'neutral',
  ACTIVE: 'success',
  SUSPENDED: 'danger',
  ARCHIVED: 'neutral',
  TRIALING: 'neutral',
  PAST_DUE: 'warning',
  UNPAID: 'danger',
  PAUSED: 'neutral',
  CANCELED: 'neutral',
  INCOMPLETE: 'warning',
  INCOMPLETE_EXPIRED: 'neutral',
  ACCEPTED: 'success',
  REVOKED: 'neutral',
  EXPIRED: 'warning',
}

// A gateway that is newer than this portal may return additional values.
export const statusTone = (status: AnyStatus): Tone => (TONES as Partial<typeof TONES>)[status] ?? 'neutral'

/** Returns a tenant's name, or its slug if the name has no visible character. */
export const tenantDisplayName = (tenant: { name: string; slug: string }) =>
  /[\p{L}\p{N}\p{P}\p{S}]/u.test(tenant.name) ? tenant.name : tenant.slug
