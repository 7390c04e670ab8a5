/** The tenant that the address names, and where the portal has it. */
export function useSlug() {
  const route = useRoute()
  const slug = computed(() => String(route.params.slug))
  const encoded = computed(() => encodeURIComponent(slug.value))
  return { page: computed(() => `/tenants/${encoded.value}`), api: computed(() => `/api/tenants/${encoded.value}`) }
}
