// Begins a sign-in: remembers where to come back to, and a number that the provider has to repeat in
// the token (the nonce).
export default defineEventHandler((event) => {
  const nonce = beginSignIn(event, pathOnly(getQuery(event).to))
  return sendRedirect(event, `/auth/oidc/login?nonce=${nonce}`)
})
