// What GraphiQL leaves undone: what editors are told, and what follows when something else changes.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';
import { useSchemaState } from './answers';

export function EditorOptions() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
    responseEditor: state.responseEditor,
  }));
  useEffect(() => {
    // Lines go on below rather than out of sight, and a screen reader is told which editor it is in.
    const options = { wordWrap: 'on', fontSize: 14, guides: { indentation: false } } as const;
    queryEditor?.updateOptions({ ...options, ariaLabel: 'Operation' });
    variableEditor?.updateOptions({ ...options, ariaLabel: 'Variables' });
    headerEditor?.updateOptions({ ...options, ariaLabel: 'Headers' });
    responseEditor?.updateOptions({ ...options, ariaLabel: 'Answer' });
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);
  return null;
}

/** Follows the system from light to dark, where nobody chose one of them: editors do not by themselves. */
export function SystemTheme() {
  const { setTheme } = useGraphiQLActions();
  const theme = useGraphiQL((state) => state.theme);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(theme);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [theme, setTheme]);
  return null;
}

/** Brings the tab in front into sight. */
export function TabInSight() {
  const id = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id);
  useEffect(() => {
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
  }, [id]);
  return null;
}

/** Where the schema is withheld, the pane says so: it is no answer to what somebody asked. */
export function NoErrorForAnswer() {
  const { fetchError, responseEditor } = useGraphiQL((state) => ({
    fetchError: state.fetchError,
    responseEditor: state.responseEditor,
  }));
  const withheld = useSchemaState() === 'withheld';
  useEffect(() => {
    if (withheld && fetchError && responseEditor?.getValue() === fetchError) responseEditor.setValue('');
  }, [withheld, fetchError, responseEditor]);
  return null;
}
