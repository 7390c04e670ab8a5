import { convertObjectToSnakeCase } from 'nuxt-oidc-auth/runtime/server/utils/oidc.js'

// Ends the session here and at the provider. The provider's session is also ended if there is none here, because
// the provider would otherwise sign the same user in again without asking. The module's own logout route does not
// contact the provider in that case.
export default defineEventHandler(async (event) => {
  const site = getHeader(event, 'sec-fetch-site')
  if (site === 'cross-site' || site === 'same-site') throw createApiError({ code: 'ORIGIN_NOT_ALLOWED' })
  await endSession(event)
  return sendRedirect(event, providerLogoutUrl(useRuntimeConfig(event).oidc.providers.oidc))
})

interface ProviderConfig {
  logoutUrl?: string
  logoutRedirectUri?: string
  logoutRedirectParameterName?: string
  additionalLogoutParameters?: Record<string, string>
}

/** Returns the provider's logout URL with the URI to return to, or the home page if none is configured. */
function providerLogoutUrl(provider: ProviderConfig = {}): string {
  if (!provider.logoutUrl) return '/'
  const url = new URL(provider.logoutUrl)
  const { logoutRedirectParameterName, logoutRedirectUri } = provider
  if (logoutRedirectParameterName && logoutRedirectUri) url.searchParams.set(logoutRedirectParameterName, logoutRedirectUri)
  for (const [name, value] of Object.entries(convertObjectToSnakeCase(provider.additionalLogoutParameters ?? {}))) {
    url.searchParams.set(name, value)
  }
  return url.href
}
