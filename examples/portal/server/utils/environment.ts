const BYTES = 32
const CHARACTERS = 48

type Variables = Record<string, string | undefined>
type Provider = Record<string, unknown>

/** What the module reads for itself, and what it makes of it where it is not right: a late error. */
function faultsOfSecrets(variables: Variables): string[] {
  const faults: string[] = []
  const key = Buffer.from(variables.NUXT_OIDC_TOKEN_KEY ?? '', 'base64')
  if (key.length !== BYTES) {
    faults.push(
      `NUXT_OIDC_TOKEN_KEY has ${key.length} bytes in base64 and needs ${BYTES}: openssl rand -base64 ${BYTES}`,
    )
  }
  for (const name of ['NUXT_OIDC_SESSION_SECRET', 'NUXT_OIDC_AUTH_SESSION_SECRET']) {
    const length = (variables[name] ?? '').length
    if (length < CHARACTERS) {
      faults.push(`${name} has ${length} characters and needs ${CHARACTERS}: openssl rand -hex ${CHARACTERS / 2}`)
    }
  }
  return faults
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)
}

/** A line for each variable that is missing or cannot be right. Never has a secret in it. */
export function faultsOfEnvironment(
  variables: Variables,
  config: { gatewayUrl: string; oidc: { providers: object } },
): string[] {
  const provider = (config.oidc.providers as { oidc?: Provider }).oidc ?? {}
  const faults = faultsOfSecrets(variables)
  const urls: [string, unknown][] = [
    ['NUXT_GATEWAY_URL', config.gatewayUrl],
    ['NUXT_OIDC_PROVIDERS_OIDC_AUTHORIZATION_URL', provider.authorizationUrl],
    ['NUXT_OIDC_PROVIDERS_OIDC_TOKEN_URL', provider.tokenUrl],
    ['NUXT_OIDC_PROVIDERS_OIDC_OPEN_ID_CONFIGURATION', provider.openIdConfiguration],
    ['NUXT_OIDC_PROVIDERS_OIDC_REDIRECT_URI', provider.redirectUri],
  ]
  for (const [name, value] of urls) {
    if (!isUrl(value)) faults.push(`${name} is "${String(value ?? '')}" and should be an address: https://…`)
  }
  for (const [name, value] of [
    ['NUXT_OIDC_PROVIDERS_OIDC_CLIENT_ID', provider.clientId],
    ['NUXT_OIDC_PROVIDERS_OIDC_CLIENT_SECRET', provider.clientSecret],
  ] as const) {
    if (!value) faults.push(`${name} is not set: the provider's page for this client has it`)
  }
  return faults
}
