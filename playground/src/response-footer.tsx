// The line below the response: identity, HTTP status, duration, error codes and request ID.
import { useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';
import { useResponseInfo, type ResponseInfo } from './response-info';

export function ResponseFooter() {
  const lastResponse = useResponseInfo();
  const activeTab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id) ?? '';
  const fetching = useGraphiQL((state) => state.isFetching);
  // GraphiQL keeps one response for each tab, so this does too.
  const [infoByTab, setInfoByTab] = useState<Record<string, ResponseInfo>>({});
  useEffect(() => {
    if (lastResponse) setInfoByTab((infos) => ({ ...infos, [activeTab]: lastResponse }));
    // Runs when a response arrives, not when the active tab changes.
  }, [lastResponse]);
  const info = infoByTab[activeTab];
  if (fetching) return <p className="response-info" role="status">Running…</p>;
  if (!info) return <p className="response-info">No response yet. Press Ctrl-Enter to run the operation.</p>;
  return (
    <p className="response-info" role="status">
      <span>
        Identity: <strong>{info.identity}</strong>
      </span>
      <span className={info.status < 400 ? 'response-status' : 'response-status response-status-error'}>
        {info.status} {info.statusText}
      </span>
      <span>{Math.round(info.durationMs)} ms</span>
      {info.errorCodes.map(([code, count]) => (
        <span key={code} className="error-code">
          {code}
          {count > 1 ? ` × ${count}` : ''}
        </span>
      ))}
      {info.requestId && (
        <span className="request-id" title="The value of x-request-id. The gateway's log contains it too.">
          {info.requestId}
        </span>
      )}
    </p>
  );
}
