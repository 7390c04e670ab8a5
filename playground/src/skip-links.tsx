// Links for keyboard users that move the focus to a part of the page. They are visible while focused.

/** Each part with its element in GraphiQL, and in the form that is shown while GraphiQL is loading. */
const TARGETS: [label: string, selectors: string[]][] = [
  ['Skip to the operation', ['.graphiql-query-editor .inputarea', '#starter-operation']],
  ['Skip to the Run button', ['.graphiql-execute-button', '.starter-actions button']],
  ['Skip to the response', ['.result-window .inputarea', '.starter-response pre']],
];

export function SkipLinks() {
  return (
    <nav className="graphiql-container skip-links" aria-label="Skip links">
      {TARGETS.map(([label, selectors]) => (
        <button key={label} type="button" onClick={() => focusFirst(selectors)}>
          {label}
        </button>
      ))}
    </nav>
  );
}

function focusFirst(selectors: string[]) {
  document.querySelector<HTMLElement>(selectors.join(', '))?.focus();
}
