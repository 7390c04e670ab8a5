// Connects live operations with GraphiQL's tabs, which show only the operation of the active tab.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useLayoutEffect } from 'react';
import { findLiveOperation, keepOperationsOf, setActiveTab, showAgain, useLiveState, useRunningTabs } from './live';

export function LiveTabs() {
  const { tabs, activeTabIndex, queryEditor, responseEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
  }));
  const { run } = useGraphiQLActions();
  const id = tabs[activeTabIndex]?.id ?? '';
  const running = useRunningTabs();
  const state = useLiveState(id);
  useLayoutEffect(() => setActiveTab(id), [id]);
  useEffect(() => keepOperationsOf(tabs.map((tab) => tab.id)), [tabs]);
  useEffect(() => {
    const operation = findLiveOperation(id);
    if (operation?.isHidden && queryEditor && responseEditor) showAgain(operation, () => void run());
    // Runs when a tab becomes active.
  }, [id, queryEditor, responseEditor, run]);
  useEffect(() => {
    const runningIds = running.split(' ');
    tabs.forEach((tab, index) => markTab(index, runningIds.includes(tab.id)));
  }, [tabs, running]);
  useEffect(() => {
    // The spinner stands for a request that is about to end. A live operation waits for changes.
    document.body.classList.toggle('live', state !== null && state.status !== 'ended');
  }, [state]);
  return null;
}

/** Marks a tab whose operation is running. GraphiQL renders the tab. */
function markTab(index: number, isRunning: boolean) {
  const tab = document.getElementById(`graphiql-session-tab-${index}`);
  tab?.classList.toggle('tab-live', isRunning);
  if (isRunning) tab?.setAttribute('aria-description', 'A live operation is running');
  else tab?.removeAttribute('aria-description');
}
