// The line below a response: identity, HTTP status, duration, error codes and request ID.
import type { Outcome, ResponseInfo } from './outcomes';

export function OutcomeLine({ outcome }: { outcome: Outcome }) {
  return (
    <p className="response-info" role="status">
      <span>
        Identity: <strong>{outcome.identity}</strong>
      </span>
      {outcome.response ? <ResponseDetails response={outcome.response} /> : <span>No response</span>}
    </p>
  );
}

function ResponseDetails({ response }: { response: ResponseInfo }) {
  const { status, statusText, durationMs, errorCodes, requestId } = response;
  return (
    <>
      <span className={status < 400 ? 'response-status' : 'response-status response-status-error'}>
        {status} {statusText}
      </span>
      <span>{Math.round(durationMs)} ms</span>
      <ErrorCodes codes={errorCodes} />
      {requestId && (
        <span className="request-id" title="The value of x-request-id. The gateway's log contains it too.">
          {requestId}
        </span>
      )}
    </>
  );
}

export function ErrorCodes({ codes }: { codes: [code: string, count: number][] }) {
  return codes.map(([code, count]) => (
    <span key={code} className="error-code">
      {code}
      {count > 1 ? ` × ${count}` : ''}
    </span>
  ));
}
