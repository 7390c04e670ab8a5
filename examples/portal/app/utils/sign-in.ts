/** Returns the path that starts a sign-in and then redirects to `returnPath`. */
export function signInPath(returnPath: string): string {
  return `/sign-in?to=${encodeURIComponent(returnPath)}`
}

// True from the moment at which this document is to be replaced. Several requests of a page fail at the same time, and
// a browser can have only one pending sign-in.
let isLeaving = false
if (import.meta.client) window.addEventListener('pageshow', () => (isLeaving = false))

/** Returns whether the browser is about to replace this document, so that its unsaved input needs no confirmation. */
export const isLeavingDocument = () => isLeaving

/** Replaces the document by the sign-in page, once. */
export function signInAgain(returnPath: string): void {
  if (isLeaving) return
  isLeaving = true
  window.location.assign(signInPath(returnPath))
}

/** Discards everything that this document holds of its user and opens the home page. */
export function startAfresh(): void {
  if (isLeaving) return
  isLeaving = true
  document.documentElement.replaceChildren()
  window.location.replace('/')
}
