import { randomBytes } from 'node:crypto'

/** Returns a policy that allows the portal's own files, and the inline scripts that have the nonce. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

export default defineNitroPlugin((nitro) => {
  nitro.hooks.hook('render:html', (html, { event }) => {
    // The development server injects its own styles and scripts into pages.
    if (import.meta.dev) return
    const nonce = randomBytes(16).toString('base64')
    const addNonce = (part: string) => part.replace(/<script\b/g, `<script nonce="${nonce}"`)
    html.head = html.head.map(addNonce)
    html.bodyPrepend = html.bodyPrepend.map(addNonce)
    html.bodyAppend = html.bodyAppend.map(addNonce)
    setHeader(event, 'content-security-policy', contentSecurityPolicy(nonce))
  })
  nitro.hooks.hook('render:response', (response, { event }) => {
    // A page contains user data, and so does the payload that client-side navigation fetches instead of it.
    setHeader(event, 'cache-control', 'no-store')
    Reflect.deleteProperty(response.headers ?? {}, 'x-powered-by')
  })
})
