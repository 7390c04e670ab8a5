/**
 * Asks for a confirmation before the user leaves a page with unsaved changes.
 *
 * Leaving within the portal while the changes are being sent needs none, because the request continues. Closing the
 * page would cancel it.
 */
export function useUnsavedChanges(hasUnsavedChanges: Ref<boolean>, isSending: Ref<boolean>): void {
  const { t } = useI18n()
  const confirmUnload = (unload: BeforeUnloadEvent) => {
    if ((hasUnsavedChanges.value || isSending.value) && !isLeavingDocument()) unload.preventDefault()
  }
  onBeforeRouteLeave(() => !hasUnsavedChanges.value || window.confirm(t('form.leave')))
  onMounted(() => window.addEventListener('beforeunload', confirmUnload))
  onUnmounted(() => window.removeEventListener('beforeunload', confirmUnload))
}
