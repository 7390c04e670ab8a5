import { convertObjectToSnakeCase } from 'nuxt-oidc-auth/runtime/server/utils/oidc.js'

// Ends the session, here and at the provider; also where there is none here any more, since the provider
// would sign the same person in again without a question. The module's own route would then stay here.
export default defineEventHandler(async (event) => {
  const site = getHeader(event, 'sec-fetch-site')
  if (site === 'cross-site' || site === 'same-site') throw problem({ code: 'FOREIGN_ORIGIN' })
  await endSession(event)
  return sendRedirect(event, providersSignOut(useRuntimeConfig(event).oidc.providers.oidc))
})

interface Configured {
  logoutUrl?: string
  logoutRedirectUri?: string
  logoutRedirectParameterName?: string
  additionalLogoutParameters?: Record<string, string>
}

/** Where the provider ends its own session and sends people back from; home where it has no such page. */
function providersSignOut(provider: Configured = {}): string {
  if (!provider.logoutUrl) return '/'
  const url = new URL(provider.logoutUrl)
  const { logoutRedirectParameterName: back, logoutRedirectUri } = provider
  if (back && logoutRedirectUri) url.searchParams.set(back, logoutRedirectUri)
  for (const [name, value] of Object.entries(convertObjectToSnakeCase(provider.additionalLogoutParameters ?? {}))) {
    url.searchParams.set(name, value)
  }
  return url.href
}
