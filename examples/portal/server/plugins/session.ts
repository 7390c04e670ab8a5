// The module gives the session, with the access token in it, to the server's routes (that is what it is
// exposed for) and also to the browser: by `/api/_auth/session`, and from there into every page. What
// leaves the server is this much of it and no more.
const SHOWN = ['provider', 'expireAt', 'loggedInAt', 'updatedAt', 'canRefresh']

export default defineNitroPlugin(() => {
  const keep = (session: object) => {
    for (const name of Object.keys(session)) {
      if (!SHOWN.includes(name)) Reflect.deleteProperty(session, name)
    }
  }
  sessionHooks.hook('fetch', keep)
  sessionHooks.hook('refresh', keep)
})
