// Components without output that adjust GraphiQL's editors and tabs.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';
import { useSchemaStatus } from './response-info';

export function EditorOptions() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
    responseEditor: state.responseEditor,
  }));
  useEffect(() => {
    // Long lines wrap instead of running out of sight. The label tells screen readers which editor has
    // the focus.
    const options = { wordWrap: 'on', fontSize: 14, guides: { indentation: false } } as const;
    queryEditor?.updateOptions({ ...options, ariaLabel: 'Operation' });
    variableEditor?.updateOptions({ ...options, ariaLabel: 'Variables' });
    headerEditor?.updateOptions({ ...options, ariaLabel: 'Headers' });
    responseEditor?.updateOptions({ ...options, ariaLabel: 'Response' });
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);
  return null;
}

/** Applies GraphiQL's theme setting again when the system switches between light and dark mode. */
export function FollowSystemTheme() {
  const { setTheme } = useGraphiQLActions();
  const theme = useGraphiQL((state) => state.theme);
  useEffect(() => {
    // The editors do not follow the system by themselves if the user has selected no theme.
    const darkMode = matchMedia('(prefers-color-scheme: dark)');
    const applyTheme = () => setTheme(theme);
    darkMode.addEventListener('change', applyTheme);
    return () => darkMode.removeEventListener('change', applyTheme);
  }, [theme, setTheme]);
  return null;
}

/** Scrolls the active tab into view. */
export function ScrollToActiveTab() {
  const id = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id);
  useEffect(() => {
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
  }, [id]);
  return null;
}

/**
 * Removes the introspection error from the response editor if the gateway has introspection disabled.
 * The panes that need the schema explain it, and the user's operation did not cause it.
 */
export function ClearIntrospectionError() {
  const { fetchError, responseEditor } = useGraphiQL((state) => ({
    fetchError: state.fetchError,
    responseEditor: state.responseEditor,
  }));
  const disabled = useSchemaStatus() === 'disabled';
  useEffect(() => {
    if (disabled && fetchError && responseEditor?.getValue() === fetchError) responseEditor.setValue('');
  }, [disabled, fetchError, responseEditor]);
  return null;
}
