/**
 * Returns whether the page's script runs. Before, buttons do nothing, and Vue would replace typed text by the stored
 * values. So forms enable their fields afterwards.
 */
export function useHydrated(): Ref<boolean> {
  const isHydrated = ref(false)
  onMounted(() => (isHydrated.value = true))
  return isHydrated
}
