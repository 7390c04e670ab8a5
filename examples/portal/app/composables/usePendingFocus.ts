/** Returns whether the next heading of a page takes the focus. */
export const usePendingFocus = () => useState('pending-focus', () => false)
