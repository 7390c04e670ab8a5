// A plain form for one operation. It works while GraphiQL is loading, and if GraphiQL cannot be loaded.
import { useCallback, useRef, type Dispatch, type SetStateAction } from 'react';
import { sendOperation } from './fetcher';
import type { Operation } from './initial-operation';
import { OutcomeLine } from './outcome-line';
import { useLatestOutcome } from './outcomes';
import { useRunShortcut } from './run-shortcut';

export interface StarterState extends Operation {
  /** The response as JSON text. Empty before the first request. */
  response: string;
  running: boolean;
  /** The position of the cursor in the operation while it has the focus. */
  cursor: number | null;
}

interface Props {
  state: StarterState;
  setState: Dispatch<SetStateAction<StarterState>>;
  loadError: boolean;
}

export function Starter({ state, setState, loadError }: Props) {
  const { query, variables, operationName, response, running } = state;
  const outcome = useLatestOutcome();
  const form = useRef<HTMLFormElement>(null);
  const update = (part: Partial<StarterState>) => setState((current) => ({ ...current, ...part }));
  const run = async () => {
    if (running) return;
    update({ running: true, response: '' });
    update({ running: false, response: await sendOperation({ query, variables, operationName }) });
  };
  useRunShortcut(useCallback(() => form.current?.requestSubmit(), []));
  return (
    <form
      ref={form}
      className="graphiql-container starter"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <div className="starter-request">
        <label htmlFor="starter-operation">Operation</label>
        <textarea
          id="starter-operation"
          spellCheck={false}
          value={query}
          onChange={(event) => update({ query: event.target.value })}
          onSelect={({ currentTarget }) => update({ cursor: currentTarget.selectionEnd })}
          onBlur={() => update({ cursor: null })}
        />
        {variables !== '' && (
          <>
            <label htmlFor="starter-variables">Variables</label>
            <textarea
              id="starter-variables"
              spellCheck={false}
              value={variables}
              onChange={(event) => update({ variables: event.target.value })}
            />
          </>
        )}
        <div className="starter-actions">
          <button type="submit" aria-disabled={running}>
            Run
          </button>
          {loadError ? (
            <p role="alert">
              The editor could not be loaded. This form works without it.{' '}
              <button type="button" className="small-button" onClick={() => location.reload()}>
                Reload
              </button>
            </p>
          ) : (
            <p role="status">{running ? 'Running…' : 'Loading the editor…'}</p>
          )}
        </div>
      </div>
      <section className="starter-response" aria-label="Response">
        <pre tabIndex={0}>{response}</pre>
        {outcome && outcome.responseText === response && <OutcomeLine outcome={outcome} />}
      </section>
    </form>
  );
}
