/**
 * Returns the filter of a list, which is part of the URL, and the values of its form. `apply` opens the first page with
 * the form's values. The back button restores both.
 */
export function useListFilter<Name extends string>(names: readonly Name[]) {
  const route = useRoute()
  const fromRoute = () => Object.fromEntries(names.map((name) => [name, String(route.query[name] ?? '')])) as Record<Name, string>
  const form = reactive(fromRoute()) as Record<Name, string>
  watch(
    () => route.query,
    () => Object.assign(form, fromRoute()),
  )
  const query = computed(() => {
    const { after, before } = route.query
    return { ...Object.fromEntries(names.map((name) => [name, route.query[name]])), after, before }
  })
  const isFiltered = computed(() => names.some((name) => route.query[name]))
  const apply = () =>
    navigateTo({ query: Object.fromEntries(names.map((name) => [name, form[name].trim() || undefined])) })
  return { form, query, isFiltered, apply }
}
