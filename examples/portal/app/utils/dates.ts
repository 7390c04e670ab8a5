/** Formats a timestamp in a language, with the name of the time zone. Without a zone, it is the one of this computer. */
export function formatTimestamp(at: string, locale: string, { precise = false, timeZone }: { precise?: boolean; timeZone?: string } = {}): string {
  const time = precise ? ({ hour: '2-digit', minute: '2-digit' } as const) : {}
  const options = { year: 'numeric', month: 'short', day: 'numeric', ...time, timeZoneName: 'short', timeZone } as const
  return new Intl.DateTimeFormat(locale, options).format(new Date(at))
}
