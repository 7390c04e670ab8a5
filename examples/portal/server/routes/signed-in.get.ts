// Where the module comes back to from the provider, with a session. A session whose token does not
// repeat the nonce of this browser's sign-in is somebody else's, and ends here.
export default defineEventHandler(async (event) => {
  const begun = signInUnderWay(event)
  // Somebody's link: nothing ends for it.
  if (!begun) return sendRedirect(event, '/')
  const session = await sessionOf(event)
  if (!session || session.claims?.nonce !== begun.nonce) {
    await endSession(event)
    return sendRedirect(event, '/')
  }
  endSignIn(event)
  return sendRedirect(event, begun.to)
})
