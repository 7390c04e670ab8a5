// Text of users can be written from right to left. Without isolation, it would move the words and numbers beside it.
// The characters below do the same in plain text as `<bdi>` does in HTML.
const FIRST_STRONG_ISOLATE = '\u2068'
const POP_DIRECTIONAL_ISOLATE = '\u2069'

/** Returns a text whose direction does not affect the text around it, for titles, attributes and options. */
export const isolate = (text: string) => text && FIRST_STRONG_ISOLATE + text.replace(/[\u2066-\u2069]/g, '') + POP_DIRECTIONAL_ISOLATE

/** Splits a text at its isolated parts. These have the odd indexes of the result. */
export const splitIsolated = (text: string): string[] => text.split(/\u2068([^\u2069]*)\u2069/)
