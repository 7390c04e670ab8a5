// The module redirects here after the provider's callback, with a new session. If the session's token does not
// repeat the nonce of this browser's sign-in, it belongs to a different sign-in and is ended.
export default defineEventHandler(async (event) => {
  const signIn = readPendingSignIn(event)
  // Without a pending sign-in, the request comes from a link. It must not end the session.
  if (!signIn) return sendRedirect(event, '/')
  const session = await readSession(event)
  if (!session || session.claims?.nonce !== signIn.nonce) {
    await endSession(event)
    return sendRedirect(event, '/')
  }
  clearPendingSignIn(event)
  return sendRedirect(event, signIn.to)
})
