// Components without output that adjust GraphiQL's editors and tabs.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { saveTabs } from './initial-operation';
import { LEAVE_EDITOR_HINT } from './keyboard';
import { useSchemaStatus } from './outcomes';
import type { StarterState } from './starter';

export function EditorOptions() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
    responseEditor: state.responseEditor,
  }));
  useEffect(() => {
    // Long lines wrap instead of running out of sight. The label tells screen readers which editor has
    // the focus, and how to leave it.
    const options = { wordWrap: 'on', fontSize: 14, guides: { indentation: false } } as const;
    queryEditor?.updateOptions({ ...options, ariaLabel: `Operation. ${LEAVE_EDITOR_HINT}` });
    variableEditor?.updateOptions({ ...options, ariaLabel: `Variables. ${LEAVE_EDITOR_HINT}` });
    headerEditor?.updateOptions({ ...options, ariaLabel: `Headers. ${LEAVE_EDITOR_HINT}` });
    // Nothing can be typed here, so Tab always leaves this editor.
    responseEditor?.updateOptions({ ...options, ariaLabel: 'Response', tabFocusMode: true });
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);
  return null;
}

/** Shows the response of the form that preceded GraphiQL, and keeps the focus where it was. */
export function TakeOverFromStarter({ startedWith }: { startedWith: StarterState }) {
  const { queryEditor, responseEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
  }));
  const { updateActiveTabValues } = useGraphiQLActions();
  useEffect(() => {
    if (!responseEditor || !startedWith.response) return;
    responseEditor.setValue(startedWith.response);
    updateActiveTabValues({ response: startedWith.response });
  }, [responseEditor, startedWith, updateActiveTabValues]);
  useEffect(() => {
    if (!queryEditor || startedWith.cursor === null) return;
    const position = queryEditor.getModel()?.getPositionAt(startedWith.cursor);
    if (position) queryEditor.setPosition(position);
    queryEditor.focus();
  }, [queryEditor, startedWith]);
  return null;
}

/** Stores the tabs and the editors' text when the page is left. GraphiQL stores them half a second later. */
export function StoreOnLeave() {
  const { tabs, activeTabIndex, queryEditor, variableEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));
  useEffect(() => {
    if (!queryEditor || !variableEditor) return;
    const storeTabs = () =>
      saveTabs(tabs, activeTabIndex, { query: queryEditor.getValue(), variables: variableEditor.getValue() });
    addEventListener('pagehide', storeTabs);
    return () => removeEventListener('pagehide', storeTabs);
  }, [tabs, activeTabIndex, queryEditor, variableEditor]);
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

/** Scrolls the active tab into view when it becomes active, and when the list or a tab changes its width. */
export function ScrollToActiveTab() {
  const { id, count } = useGraphiQL((state) => ({
    id: state.tabs[state.activeTabIndex]?.id,
    count: state.tabs.length,
  }));
  useEffect(() => {
    const observer = new ResizeObserver(scrollToActiveTab);
    for (const part of document.querySelectorAll('.graphiql-tabs, .graphiql-tab')) observer.observe(part);
    return () => observer.disconnect();
  }, [id, count]);
  return null;
}

/** Scrolls the list of tabs only. `scrollIntoView` would also scroll the page to the list. */
function scrollToActiveTab() {
  const tab = document.querySelector('.graphiql-tab-active');
  const list = tab?.parentElement;
  if (!tab || !list) return;
  const [inner, outer] = [tab.getBoundingClientRect(), list.getBoundingClientRect()];
  const hiddenAtEnd = inner.right - outer.right + parseFloat(getComputedStyle(list).paddingRight);
  if (hiddenAtEnd > 0) list.scrollLeft += hiddenAtEnd;
  if (inner.left < outer.left) list.scrollLeft += inner.left - outer.left;
}

/** Moves the focus to the operation of a new tab. After the choice of an example, the focus stays in the list. */
export function FocusNewTab() {
  const { count, queryEditor } = useGraphiQL((state) => ({
    count: state.tabs.length,
    queryEditor: state.queryEditor,
  }));
  const lastCount = useRef(count);
  useEffect(() => {
    if (count > lastCount.current && !document.activeElement?.closest('.examples')) queryEditor?.focus();
    lastCount.current = count;
  }, [count, queryEditor]);
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
