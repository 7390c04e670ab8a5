const TOKEN_KEY_BYTES = 32
const SECRET_CHARACTERS = 48

type Variables = Record<string, string | undefined>
type Provider = Record<string, unknown>

/** Validates the secrets that nuxt-oidc-auth reads from the environment. The module itself fails only later. */
function validateSecrets(variables: Variables): string[] {
  const errors: string[] = []
  const key = Buffer.from(variables.NUXT_OIDC_TOKEN_KEY ?? '', 'base64')
  if (key.length !== TOKEN_KEY_BYTES) {
    errors.push(
      `NUXT_OIDC_TOKEN_KEY: ${key.length} bytes after base64 decoding; expected ${TOKEN_KEY_BYTES}. ` +
        `Create one with: openssl rand -base64 ${TOKEN_KEY_BYTES}`,
    )
  }
  for (const name of ['NUXT_OIDC_SESSION_SECRET', 'NUXT_OIDC_AUTH_SESSION_SECRET']) {
    const length = (variables[name] ?? '').length
    if (length < SECRET_CHARACTERS) {
      errors.push(
        `${name}: ${length} characters; expected at least ${SECRET_CHARACTERS}. ` +
          `Create one with: openssl rand -hex ${SECRET_CHARACTERS / 2}`,
      )
    }
  }
  return errors
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)
}

/** Returns one error per variable that is missing or invalid. An error never contains a secret. */
export function validateEnvironment(
  variables: Variables,
  config: { gatewayUrl: string; oidc: { providers: object } },
): string[] {
  const provider = (config.oidc.providers as { oidc?: Provider }).oidc ?? {}
  const errors = validateSecrets(variables)
  const urls: [string, unknown][] = [
    ['NUXT_GATEWAY_URL', config.gatewayUrl],
    ['NUXT_OIDC_PROVIDERS_OIDC_AUTHORIZATION_URL', provider.authorizationUrl],
    ['NUXT_OIDC_PROVIDERS_OIDC_TOKEN_URL', provider.tokenUrl],
    ['NUXT_OIDC_PROVIDERS_OIDC_OPEN_ID_CONFIGURATION', provider.openIdConfiguration],
    ['NUXT_OIDC_PROVIDERS_OIDC_REDIRECT_URI', provider.redirectUri],
  ]
  for (const [name, value] of urls) {
    if (!isHttpUrl(value)) errors.push(`${name}: invalid URL "${String(value ?? '')}"; expected an absolute URL, e.g. https://…`)
  }
  for (const [name, value] of [
    ['NUXT_OIDC_PROVIDERS_OIDC_CLIENT_ID', provider.clientId],
    ['NUXT_OIDC_PROVIDERS_OIDC_CLIENT_SECRET', provider.clientSecret],
  ] as const) {
    if (!value) errors.push(`${name}: not set; copy it from the provider's settings of this client`)
  }
  return errors
}
