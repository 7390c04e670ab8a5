const day = 60 * 60 * 24

export default defineNuxtConfig({
  compatibilityDate: '2025-11-01',
  modules: ['nuxt-oidc-auth'],
  // Nothing here speaks to anybody but the provider and the gateway.
  devtools: { enabled: false },
  telemetry: false,
  css: ['~/assets/tokens.css', '~/assets/base.css', '~/assets/parts.css', '~/assets/forms.css'],
  // Styles come as files, so that the content security policy needs no exception for them.
  features: { inlineStyles: false },
  typescript: { strict: true, tsConfig: { compilerOptions: { noUncheckedIndexedAccess: true } } },
  app: {
    head: {
      htmlAttrs: { lang: 'en' },
      titleTemplate: '%s · Portal',
      meta: [{ name: 'color-scheme', content: 'light dark' }],
      link: [{ rel: 'icon', type: 'image/svg+xml', href: '/icon.svg' }],
    },
  },

  // Each of these is empty here and has its value from the environment: see .env.example.
  runtimeConfig: { gatewayUrl: '' },

  oidc: {
    defaultProvider: 'oidc',
    // Random secrets would end all sessions with the process, and be written to the log.
    provideDefaultSecrets: false,
    devtools: false,
    middleware: {
      // `app/middleware/session.global.ts` does it, by way of `/sign-in`.
      globalMiddlewareEnabled: false,
      customLoginPage: true,
    },
    session: {
      cookieName: 'portal',
      maxAge: day,
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
        // `/sign-in` sends a nonce and `/signed-in` looks at it. The module's own would have the provider
        // answer by a form of another site, which the cookie of a sign-in does not come along with.
        nonce: false,
        allowedClientAuthParameters: ['nonce'],
        optionalClaims: ['nonce'],
        callbackRedirectUrl: '/signed-in',
        // To the server's routes; `server/plugins/session.ts` keeps it from the browser.
        exposeAccessToken: true,
        validateIdToken: true,
        validateAccessToken: true,
        sessionConfiguration: {
          // Renewed a little before it ends, so that no request sets out with a token that ends on its way.
          expirationThreshold: 30,
          // How long a sign-in may take: as `server/utils/sign-in.ts` has it.
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
    // Encrypted tokens, by session. Bounded, and gone with the process: the provider still knows its
    // users then, and they are signed in again without being asked. Several instances need one store.
    storage: { oidc: { driver: 'lruCache', max: 10_000, ttl: day * 1000 } },
    devStorage: { oidc: { driver: 'lruCache', max: 100 } },
  },
})
