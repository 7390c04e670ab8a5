const DAY_SECONDS = 60 * 60 * 24

export default defineNuxtConfig({
  compatibilityDate: '2025-11-01',
  modules: ['nuxt-oidc-auth'],
  // The portal sends requests only to the provider and the gateway.
  devtools: { enabled: false },
  telemetry: false,
  css: ['~/assets/tokens.css', '~/assets/base.css', '~/assets/components.css', '~/assets/forms.css'],
  // Styles are served as files, so that the content security policy needs no exception for inline styles.
  features: { inlineStyles: false },
  typescript: { strict: true, tsConfig: { compilerOptions: { noUncheckedIndexedAccess: true } } },
  app: {
    head: {
      meta: [{ name: 'color-scheme', content: 'light dark' }],
      link: [{ rel: 'icon', type: 'image/svg+xml', href: '/icon.svg' }],
    },
  },

  // The empty values here and below are set by environment variables: see .env.example.
  runtimeConfig: { gatewayUrl: '' },

  oidc: {
    defaultProvider: 'oidc',
    // Generated secrets would end all sessions when the process ends, and they would be written to the log.
    provideDefaultSecrets: false,
    devtools: false,
    middleware: {
      // `app/middleware/session.global.ts` redirects to `/sign-in` instead.
      globalMiddlewareEnabled: false,
      customLoginPage: true,
    },
    session: {
      cookieName: 'portal',
      maxAge: DAY_SECONDS,
    },
    providers: {
      oidc: {
        clientId: '',
        clientSecret: '',
        redirectUri: '',
        authorizationUrl: '',
        tokenUrl: '',
        logoutUrl: '',
        logoutRedirectUri: '',
        openIdConfiguration: '',
        audience: '',
        scope: ['openid', 'profile', 'email', 'groups', 'offline_access'],
        logoutRedirectParameterName: 'post_logout_redirect_uri',
        tokenRequestType: 'form-urlencoded',
        additionalAuthParameters: {},
        additionalTokenParameters: {},
        additionalLogoutParameters: {},
        pkce: true,
        state: true,
        // `/sign-in` sends a nonce and `/signed-in` verifies it. With the module's own nonce, the provider would
        // respond with a cross-site form post, which does not carry the SameSite cookie of the sign-in.
        nonce: false,
        allowedClientAuthParameters: ['nonce'],
        // `sub` identifies the user to `viewerKey`. Both stay on the server.
        optionalClaims: ['nonce', 'sub'],
        callbackRedirectUrl: '/signed-in',
        // For the server's routes. `server/plugins/session-filter.ts` removes it before the browser gets the session.
        exposeAccessToken: true,
        validateIdToken: true,
        validateAccessToken: true,
        sessionConfiguration: {
          // Seconds before expiry at which the token is renewed, so that it does not expire during a request.
          expirationThreshold: 30,
          // Seconds that a sign-in may take. `server/utils/sign-in.ts` has the same limit.
          maxAuthSessionAge: 600,
        },
      },
    },
  },

  routeRules: {
    '/**': {
      headers: {
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
      },
    },
    '/api/**': { headers: { 'cache-control': 'no-store' } },
  },

  nitro: {
    // Scripts and styles are compressed at build time. A proxy compresses pages, if it does.
    compressPublicAssets: { gzip: true, brotli: true },
    // The encrypted tokens of each session, in bounded memory. They are lost when the process ends. The provider
    // then signs its users in again without a prompt, as long as it has a session. Several instances need a
    // shared store.
    storage: { oidc: { driver: 'lruCache', max: 10_000, ttl: DAY_SECONDS * 1000 } },
    devStorage: { oidc: { driver: 'lruCache', max: 100 } },
  },
})
