// Below the answer: whose it is, its status, its codes, and the request's identifier for the log.
import { useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';
import { useAnswer, type Answer } from './answers';

export function AnswerState() {
  const answer = useAnswer();
  const active = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id) ?? '';
  const fetching = useGraphiQL((state) => state.isFetching);
  // Tabs keep their answers, so each keeps what is known of its own.
  const [byTab, setByTab] = useState<Record<string, Answer>>({});
  useEffect(() => {
    if (answer) setByTab((known) => ({ ...known, [active]: answer }));
    // When there is an answer, not when there is another tab.
  }, [answer]);
  const shown = byTab[active];
  if (fetching) return <p className="answer" role="status">Asking…</p>;
  if (!shown) return <p className="answer">No answer yet: run the operation with Ctrl-Enter.</p>;
  return (
    <p className="answer" role="status">
      <span>
        as <strong>{shown.as}</strong>
      </span>
      <span className={shown.status < 400 ? 'answer-status' : 'answer-status answer-bad'}>
        {shown.status} {shown.statusText}
      </span>
      <span>{Math.round(shown.millis)} ms</span>
      {shown.codes.map(([code, count]) => (
        <span key={code} className="answer-code">
          {code}
          {count > 1 ? ` × ${count}` : ''}
        </span>
      ))}
      {shown.requestId && (
        <span className="answer-request" title="x-request-id: the log has it too">
          {shown.requestId}
        </span>
      )}
    </p>
  );
}
