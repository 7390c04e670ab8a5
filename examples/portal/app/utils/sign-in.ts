/** Returns the path that starts a sign-in and then redirects to `returnPath`. */
export function signInPath(returnPath: string): string {
  return `/sign-in?to=${encodeURIComponent(returnPath)}`
}
