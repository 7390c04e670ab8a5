// The line below the responses of a live operation: its state, its identity and the number of events.
import { useGraphiQLActions } from '@graphiql/react';
import { findLiveOperation, type LiveState } from './live';
import { ErrorCodes } from './outcome-line';
import { countErrorCodes } from './outcomes';

const STATUS_LABELS = {
  connecting: 'Connecting…',
  running: 'Live',
  reconnecting: 'Reconnecting…',
  ended: 'Ended',
};

export function LiveLine({ tabId, state }: { tabId: string; state: LiveState }) {
  const { stop } = useGraphiQLActions();
  const { identity, status, events, receivedAt, responseText, reason, requestId } = state;
  const stopOperation = () => {
    stop();
    findLiveOperation(tabId)?.stop();
  };
  return (
    <div className="response-info live-line">
      <p role="status">
        <span className={`live-status live-status-${status}`}>{STATUS_LABELS[status]}</span>
        <span>
          Identity: <strong>{identity}</strong>
        </span>
        <span>{events === 1 ? '1 response' : `${events} responses`}</span>
        {receivedAt !== null && <span>Last at {new Date(receivedAt).toLocaleTimeString()}</span>}
        {status === 'ended' && <ErrorCodes codes={countErrorCodes(responseText && JSON.parse(responseText))} />}
        {status === 'running' && events === 0 && <span>Waiting for changes</span>}
        {reason && <span className="live-reason">{reason}</span>}
        {requestId && <span className="request-id">{requestId}</span>}
      </p>
      {status !== 'ended' && (
        <button type="button" className="small-button" onClick={stopOperation}>
          Stop
        </button>
      )}
    </div>
  );
}
