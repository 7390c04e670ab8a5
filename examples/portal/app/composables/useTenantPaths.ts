/** Returns the page path and the API path of the tenant in the current route. */
export function useTenantPaths() {
  const route = useRoute()
  const slug = computed(() => encodeURIComponent(String(route.params.slug)))
  return { pagePath: computed(() => `/tenants/${slug.value}`), apiPath: computed(() => `/api/tenants/${slug.value}`) }
}
