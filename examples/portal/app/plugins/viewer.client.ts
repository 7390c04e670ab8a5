// Starts afresh as soon as another tab of this browser is signed in as another user. The requests of this tab would be
// rejected from then on (`SESSION_CHANGED`), but its page would still show the data of the previous user.
export default defineNuxtPlugin(() => {
  const key = useViewerKey()
  if (!key) return
  const channel = new BroadcastChannel('portal-viewer')
  channel.onmessage = ({ data }) => {
    if (data !== key) startAfresh()
  }
  channel.postMessage(key)
})
