import type { TenantView } from '#shared/types/api'
import type { ApiError, InputError } from '#shared/types/api-error'

/**
 * Holds the state of a tenant's edit form and saves it. If the tenant was saved elsewhere in the meantime, both
 * changes are merged. The user's input is never discarded.
 */
export function useTenantForm(view: Ref<TenantView | undefined>) {
  const original = ref<FormValues>()
  const mine = ref<FormValues>()
  const version = ref(0)
  const id = ref('')
  const error = ref<ApiError>()
  const concurrentChanges = ref<ConcurrentChange[]>([])
  const isSaving = ref(false)
  const sendChange = useIdempotentRequest()

  watch(
    view,
    (current) => {
      // The form is filled only once. Later responses go through `mergeSavedTenant`, which keeps the user's input.
      if (!current || mine.value) return
      original.value = toFormValues(current.tenant)
      mine.value = toFormValues(current.tenant)
      version.value = current.tenant.version
      id.value = current.tenant.id
    },
    { immediate: true },
  )

  const change = computed(() => (original.value && mine.value ? changedFields(original.value, mine.value) : {}))
  const hasChanges = computed(() => Object.keys(change.value).length > 0)
  const inputErrors = computed<InputError[]>(() => {
    if (error.value?.code === 'CONFLICT' && error.value.field) {
      return [{ path: `input.${error.value.field}`, message: getErrorMessage(error.value).text }]
    }
    return error.value?.fields ?? []
  })
  const errorFor = (path: string) => {
    const message = inputErrors.value.find((inputError) => inputError.path === `input.${path}`)?.message
    return message && capitalize(message)
  }

  /** Reloads the tenant and merges its saved values into the form. Conflicting fields keep the user's value. */
  async function mergeSavedTenant(apiPath: string): Promise<void> {
    const { tenant } = await $fetch<TenantView>(apiPath)
    if (!original.value || !mine.value) return
    const saved = toFormValues(tenant)
    concurrentChanges.value = findConcurrentChanges(original.value, saved, mine.value)
    for (const { key, isConflict } of concurrentChanges.value) {
      if (!isConflict) copyField(mine.value, saved, key)
    }
    original.value = saved
    version.value = tenant.version
  }

  /** Sends the changed fields. Returns whether they were saved. */
  async function save(apiPath: string): Promise<boolean> {
    error.value = undefined
    isSaving.value = true
    // Removes empty rows, so that a domain has the same index in the input and in the form.
    if (mine.value) mine.value.domains = nonEmptyDomains(mine.value)
    try {
      await sendChange('/api/tenants', { id: id.value, version: version.value, ...change.value })
      return true
    } catch (failure) {
      error.value = toApiError(failure)
      if (error.value.code === 'STALE_VERSION') {
        await mergeSavedTenant(apiPath).catch((reloadFailure) => (error.value = toApiError(reloadFailure)))
      }
      return false
    } finally {
      isSaving.value = false
    }
  }

  /** Replaces the user's value of a conflicting field with the saved value. */
  function applySavedValue(key: FieldKey): void {
    if (original.value && mine.value) copyField(mine.value, original.value, key)
  }

  return { mine, error, concurrentChanges, isSaving, hasChanges, inputErrors, errorFor, save, applySavedValue }
}
