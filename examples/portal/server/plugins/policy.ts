import { randomBytes } from 'node:crypto'

/** What a page may load, and from where: its own files, and its own inline scripts by this number. */
function policy(nonce: string): string {
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
    // The developers' server puts styles and scripts of its own into pages.
    if (import.meta.dev) return
    const nonce = randomBytes(16).toString('base64')
    const numbered = (part: string) => part.replace(/<script\b/g, `<script nonce="${nonce}"`)
    html.head = html.head.map(numbered)
    html.bodyPrepend = html.bodyPrepend.map(numbered)
    html.bodyAppend = html.bodyAppend.map(numbered)
    setHeader(event, 'content-security-policy', policy(nonce))
  })
  // A page has somebody's data in it, and so has what is fetched in its place.
  nitro.hooks.hook('render:response', (_, { event }) => setHeader(event, 'cache-control', 'no-store'))
})
