// What the keyboard does besides GraphiQL's own shortcuts.
import { useGraphiQLActions } from '@graphiql/react';
import { useRunShortcut } from './run-shortcut';

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

export function RunShortcut() {
  const { run } = useGraphiQLActions();
  useRunShortcut(run as () => void);
  return null;
}
