// The line below the response of the active tab. It is empty unless it belongs to the response shown.
import { useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';
import { RUN_SHORTCUT } from './keyboard';
import { useLiveState } from './live';
import { LiveLine } from './live-line';
import { OutcomeLine } from './outcome-line';
import { useLatestOutcome, type Outcome } from './outcomes';
import { isNarrow } from './window';

export function ResponseFooter() {
  const latest = useLatestOutcome();
  const { tab, fetching } = useGraphiQL((state) => ({
    tab: state.tabs[state.activeTabIndex],
    fetching: state.isFetching,
  }));
  const id = tab?.id ?? '';
  // GraphiQL keeps one response for each tab, so this does too.
  const [outcomes, setOutcomes] = useState<Record<string, Outcome>>({});
  useEffect(() => {
    if (latest) setOutcomes((known) => ({ ...known, [id]: latest }));
    // Runs when a response arrives, not when the active tab changes.
  }, [latest]);
  const live = useLiveState(id);
  const shown = live?.responseText || latest;
  useEffect(() => {
    // In a narrow window, the response is at the end of the part that scrolls.
    const main = document.querySelector('.graphiql-main');
    if (shown && isNarrow()) main?.scrollTo({ top: main.scrollHeight });
  }, [shown]);
  const outcome = outcomes[id];
  if (live && live.status !== 'ended') return <LiveLine tabId={id} state={live} />;
  if (fetching) return <p className="response-info" role="status">Running…</p>;
  if (live && live.responseText === (tab?.response ?? '')) return <LiveLine tabId={id} state={live} />;
  if (outcome && outcome.responseText === tab?.response) return <OutcomeLine outcome={outcome} />;
  // GraphiQL reports invalid variables and headers as a response.
  if (tab?.response) return <p className="response-info" role="status">No request was sent.</p>;
  return <p className="response-info">No response yet. Press {RUN_SHORTCUT} to run the operation.</p>;
}
