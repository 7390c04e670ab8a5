// After a navigation, the focus moves to the first heading of the new page, so that keyboard users and screen readers
// continue there. A page may show its heading only when its data is there: see `PageHeading.vue`.
export default defineNuxtPlugin(() => {
  const pending = usePendingFocus()
  const { clear } = useStatusMessage()
  const router = useRouter()
  router.afterEach((to, from, failure) => {
    if (failure || from.matched.length === 0) return
    if (to.path !== from.path) {
      pending.value = true
      clear()
    } else if (to.hash) document.querySelector<HTMLElement>(to.hash)?.focus({ preventScroll: true })
  })
})
