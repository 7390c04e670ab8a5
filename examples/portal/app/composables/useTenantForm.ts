import type { TenantView } from '#shared/types/api'
import type { FieldFault, Problem } from '#shared/types/problem'

/**
 * The edit form of a tenant: what was read, what was typed, and what to do where somebody else has saved
 * in between. What was typed is never thrown away.
 */
export function useTenantForm(view: Ref<TenantView | undefined>) {
  const base = ref<FormValues>()
  const mine = ref<FormValues>()
  const version = ref(0)
  const id = ref('')
  const problem = ref<Problem>()
  const changes = ref<Meanwhile[]>([])
  const saving = ref(false)
  const send = useOnce()

  watch(
    view,
    (now) => {
      // Once: what is read later goes through `catchUp`, which keeps what was typed.
      if (!now || mine.value) return
      base.value = valuesOf(now.tenant)
      mine.value = valuesOf(now.tenant)
      version.value = now.tenant.version
      id.value = now.tenant.id
    },
    { immediate: true },
  )

  const change = computed(() => (base.value && mine.value ? changeOf(base.value, mine.value) : {}))
  const changed = computed(() => Object.keys(change.value).length > 0)
  const faults = computed<FieldFault[]>(() => {
    if (problem.value?.code === 'CONFLICT' && problem.value.field) {
      return [{ path: `input.${problem.value.field}`, message: wordsFor(problem.value).text }]
    }
    return problem.value?.fields ?? []
  })
  const faultOf = (path: string) => {
    const message = faults.value.find((fault) => fault.path === `input.${path}`)?.message
    return message && sentence(message)
  }

  /** Reads the tenant anew, and puts what others have changed beside what was typed. */
  async function catchUp(api: string): Promise<void> {
    const fresh = await $fetch<TenantView>(api)
    if (!base.value || !mine.value) return
    const theirs = valuesOf(fresh.tenant)
    changes.value = meanwhile(base.value, theirs, mine.value)
    for (const { key } of changes.value.filter((one) => !one.clash)) take(mine.value, theirs, key)
    base.value = theirs
    version.value = fresh.tenant.version
  }

  /** Sends what has changed; true where it is saved. */
  async function save(api: string): Promise<boolean> {
    problem.value = undefined
    saving.value = true
    // Without empty rows, so that a fault's place in the input is its place in the form.
    if (mine.value) mine.value.domains = domainsOf(mine.value)
    try {
      await send('/api/tenants', { id: id.value, version: version.value, ...change.value })
      return true
    } catch (error) {
      problem.value = problemIn(error)
      if (problem.value.code === 'STALE_VERSION') {
        await catchUp(api).catch((failure) => (problem.value = problemIn(failure)))
      }
      return false
    } finally {
      saving.value = false
    }
  }

  /** Takes the other value of a field that both have changed. */
  function takeTheirs(key: FieldKey): void {
    if (base.value && mine.value) take(mine.value, base.value, key)
  }

  return { mine, problem, changes, saving, changed, faults, faultOf, save, takeTheirs }
}
