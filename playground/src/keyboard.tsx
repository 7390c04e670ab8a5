// What the keyboard does besides GraphiQL's own shortcuts.
import { useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

const IS_MAC = navigator.platform.startsWith('Mac');

export const RUN_SHORTCUT = IS_MAC ? 'Cmd-Enter' : 'Ctrl-Enter';
const TAB_SHORTCUT = IS_MAC ? 'Ctrl-Shift-M' : 'Ctrl-M';

/** Tells how to leave an editor, since Tab indents there (WCAG 2.2, success criterion 2.1.2). */
export const LEAVE_EDITOR_HINT = `Press ${TAB_SHORTCUT}, then Tab to leave the editor.`;

export function KeyboardHint() {
  return (
    <p className="keyboard-hint">
      <kbd>{RUN_SHORTCUT}</kbd> runs the operation. In an editor, press <kbd>{TAB_SHORTCUT}</kbd>, then{' '}
      <kbd>Tab</kbd> to leave it.
    </p>
  );
}

/** Makes the shortcut work outside of the editors too. In an editor, GraphiQL handles it. */
export function RunShortcut() {
  const { run } = useGraphiQLActions();
  useEffect(() => {
    const runOnShortcut = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : null;
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      if (event.defaultPrevented || target?.closest('.monaco-editor, [role="dialog"]')) return;
      event.preventDefault();
      void run();
    };
    addEventListener('keydown', runOnShortcut);
    return () => removeEventListener('keydown', runOnShortcut);
  }, [run]);
  return null;
}
