// Connects live operations with GraphiQL's tabs, which show only the operation of the active tab.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useLayoutEffect } from 'react';
import {
  findLiveOperation,
  keepOperationsOf,
  setActiveTab,
  showAgain,
  useLiveState,
  useTabMarks,
  type TabMark,
} from './live';

export function LiveTabs() {
  const { tabs, activeTabIndex, queryEditor, responseEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
  }));
  const { run, stop } = useGraphiQLActions();
  const id = tabs[activeTabIndex]?.id ?? '';
  const marks = useTabMarks();
  const state = useLiveState(id);
  useLayoutEffect(() => {
    setActiveTab(id);
    // GraphiQL does so when it activates a tab, but not when it adds one.
    stop();
  }, [id, stop]);
  useEffect(() => keepOperationsOf(tabs.map((tab) => tab.id)), [tabs]);
  useEffect(() => {
    const operation = findLiveOperation(id);
    if (operation?.isHidden && queryEditor && responseEditor) showAgain(operation, () => void run());
    // Runs when a tab becomes active.
  }, [id, queryEditor, responseEditor, run]);
  useEffect(() => {
    tabs.forEach((tab, index) => markTab(index, marks.get(tab.id)));
  }, [tabs, marks]);
  useEffect(() => {
    // The spinner stands for a request that is about to end. A live operation waits for changes.
    document.body.classList.toggle('live', state !== null && state.status !== 'ended');
  }, [state]);
  return null;
}

/** Marks a tab with a live operation, or removes its mark. GraphiQL renders the tab. */
function markTab(index: number, { isRunning, unseen }: TabMark = { isRunning: false, unseen: 0 }) {
  const tab = document.getElementById(`graphiql-session-tab-${index}`);
  const description = [
    ...(isRunning ? ['A live operation is running'] : []),
    ...(unseen > 0 ? [unseen === 1 ? '1 new response' : `${unseen} new responses`] : []),
  ];
  tab?.classList.toggle('tab-live', isRunning);
  setAttribute(tab, 'data-unseen', unseen > 0 ? String(unseen) : '');
  setAttribute(tab, 'aria-description', description.join(', '));
}

function setAttribute(element: Element | null, name: string, value: string) {
  if (value) element?.setAttribute(name, value);
  else element?.removeAttribute(name);
}
