// `exposeAccessToken` adds the access token to the session, so that the server's routes can read it. The module
// also sends the session to the browser, in `/api/_auth/session` and from there in every page. This list has the
// only properties that may leave the server.
const PUBLIC_PROPERTIES = ['provider', 'expireAt', 'loggedInAt', 'updatedAt', 'canRefresh', 'viewerKey']

export default defineNitroPlugin(() => {
  const removePrivateProperties = (session: { claims?: Record<string, unknown>; viewerKey?: string }) => {
    session.viewerKey = viewerKey(session)
    for (const name of Object.keys(session)) {
      if (!PUBLIC_PROPERTIES.includes(name)) Reflect.deleteProperty(session, name)
    }
  }
  sessionHooks.hook('fetch', removePrivateProperties)
  sessionHooks.hook('refresh', removePrivateProperties)
})
