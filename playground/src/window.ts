// The size of the window.

/** Uses the same breakpoint as style.css. A narrower window has no room for a pane beside the editors. */
const NARROW = matchMedia('(max-width: 860px)');

export const isNarrow = () => NARROW.matches;
