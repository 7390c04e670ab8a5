import type { EditableTenant, TenantView } from '#shared/types/api'
import type { LiveChange } from './useLiveChanges'

export type SaveResult = 'saved' | 'saved-partly' | 'failed'

/** The conflict of a save with a change that was saved elsewhere. */
export interface EditConflict {
  changes: ConcurrentChange[]
  /** The user's values, so that the user can choose them again after choosing the saved ones. */
  mine: FormValues
}

/**
 * Holds the state of a tenant's edit form and saves it. The values are the only state of a field: whether it has changes,
 * errors or a conflict follows from them. If the tenant was saved elsewhere in the meantime, both changes are merged.
 * The user's input is never discarded, even if it is typed while a save is in progress.
 */
export function useTenantForm(view: Ref<TenantView | undefined>, apiPath: Ref<string>) {
  const saved = ref<FormValues>()
  const values = ref<FormValues>()
  /** The values of the save in progress. */
  const sent = ref<FormValues>()
  const identity = ref({ id: '', version: 0 })
  const sentErrors = ref<FieldError[]>([])
  const conflict = ref<EditConflict>()
  const { isSending: isSaving, error, send } = useChange()
  const headers = useViewerHeaders()

  watch(
    view,
    (current) => {
      // The form is filled only once. Later responses are merged, which keeps the user's input.
      if (!current || values.value) return
      saved.value = toFormValues(current.tenant)
      values.value = toFormValues(current.tenant)
      identity.value = { id: current.tenant.id, version: current.tenant.version }
    },
    { immediate: true },
  )

  const isDifferent = (base: FormValues | undefined) =>
    Boolean(base && values.value && Object.keys(changedFields(base, values.value)).length)
  const hasChanges = computed(() => isDifferent(saved.value))
  /** Whether there are changes that no save in progress includes. */
  const hasUnsentChanges = computed(() => isDifferent(sent.value ?? saved.value))
  const fieldErrors = computed(() => (values.value ? currentErrors(sentErrors.value, values.value) : []))

  function merge(tenant: EditableTenant, base: FormValues): void {
    const stored = toFormValues(tenant)
    if (values.value) takeOverSavedValues(values.value, base, stored)
    saved.value = stored
    identity.value.version = tenant.version
  }

  // The newest version that is stored, as far as this form knows.
  const storedVersion = ref(0)
  /** Whether another user has saved the tenant since the form was filled. */
  const isOutdated = computed(() => !isSaving.value && Boolean(saved.value) && storedVersion.value > identity.value.version)
  async function noteChange(change?: LiveChange): Promise<void> {
    // Without a version, some changes may be missing. If it cannot be read, the next save finds out.
    const read = () => $fetch<TenantView>(apiPath.value, { headers }).catch(() => undefined)
    const version = change?.tenant?.version ?? (await read())?.tenant.version
    storedVersion.value = Math.max(version ?? 0, storedVersion.value)
  }

  /** Takes over the stored values. A field that this form has changed keeps the user's value and becomes a conflict. */
  async function mergeConcurrentChanges(): Promise<void> {
    const current = await $fetch<TenantView>(apiPath.value, { headers })
    const { tenant } = (view.value = current)
    if (!saved.value || !values.value) return
    const changes = findConcurrentChanges(saved.value, toFormValues(tenant), values.value)
    conflict.value = { changes, mine: copyValues(values.value) }
    merge(tenant, saved.value)
  }

  async function save(): Promise<SaveResult> {
    if (!saved.value || !values.value || isSaving.value) return 'failed'
    const submitted = copyValues(values.value)
    sent.value = submitted
    const change = changedFields(saved.value, submitted)
    const tenant = await send<EditableTenant>('PATCH', '/api/tenants', { ...identity.value, ...change })
    sent.value = undefined
    conflict.value = undefined
    if (tenant) {
      sentErrors.value = []
      merge(tenant, submitted)
      return hasChanges.value ? 'saved-partly' : 'saved'
    }
    sentErrors.value = error.value ? toFieldErrors(error.value, submitted, saved.value) : []
    if (error.value?.code === 'STALE_VERSION') {
      await mergeConcurrentChanges().catch((failure: unknown) => (error.value = toApiError(failure)))
    }
    return 'failed'
  }

  /** Takes over the stored values on the user's request. */
  async function review(): Promise<void> {
    error.value = undefined
    await mergeConcurrentChanges().catch((failure: unknown) => (error.value = toApiError(failure)))
  }

  return { values, saved, error, conflict, isSaving, hasChanges, hasUnsentChanges, fieldErrors, isOutdated, noteChange, review, save }
}
