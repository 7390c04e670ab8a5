// The shortcut that runs the operation.
import { useEffect } from 'react';

/** Calls `run` at Ctrl-Enter or Cmd-Enter outside of the editors too. In an editor, GraphiQL handles it. */
export function useRunShortcut(run: () => void) {
  useEffect(() => {
    const runOnShortcut = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : null;
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      if (event.defaultPrevented || target?.closest('.monaco-editor, [role="dialog"]')) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', runOnShortcut);
    return () => removeEventListener('keydown', runOnShortcut);
  }, [run]);
}
