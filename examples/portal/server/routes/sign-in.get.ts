// Starts a sign-in. Stores the page to return to and a nonce, which the provider must repeat in the ID token.
export default defineEventHandler((event) => {
  const nonce = startSignIn(event, safeReturnPath(getQuery(event).to))
  return sendRedirect(event, `/auth/oidc/login?nonce=${nonce}`)
})
