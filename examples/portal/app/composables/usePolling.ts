// The gateway sends a mail within seconds, or tries for a day. So each wait is twice as long as the one before.
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000

/** Fetches again and again while `isNeeded`, for a state that no live operation reports. */
export function usePolling(isNeeded: () => boolean, fetchAgain: () => Promise<unknown>) {
  let stop: (() => void) | undefined
  function start(): void {
    let timer: ReturnType<typeof setTimeout>
    let isStopped = false
    const schedule = (wait: number) => {
      timer = setTimeout(async () => {
        await fetchAgain()
        if (!isStopped) schedule(Math.min(2 * wait, LONGEST_WAIT_MS))
      }, wait)
    }
    stop = () => {
      isStopped = true
      clearTimeout(timer)
    }
    schedule(FIRST_WAIT_MS)
  }
  onMounted(() =>
    watch(
      isNeeded,
      (needed) => {
        stop?.()
        if (needed) start()
      },
      { immediate: true },
    ),
  )
  onUnmounted(() => stop?.())
}
