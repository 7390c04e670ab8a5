// Live operations: subscriptions that run as event streams. Each belongs to a tab, and continues while
// another tab is active. `live-tabs.tsx` connects them with GraphiQL's tabs.
import { useMemo, useSyncExternalStore } from 'react';
import { readEvents } from './event-stream';
import { firstErrorCode } from './outcomes';
import { formatBody, parseBody, send, senderLabel, UNREACHABLE, type FetchParameters } from './send';
import { getSession } from './session';

/** GraphiQL's side of an operation that a tab shows. */
export interface Observer {
  next(body: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/** What a tab shows about its live operation. */
export interface LiveState {
  /** The identity that runs the operation, for display. */
  identity: string;
  status: 'connecting' | 'running' | 'reconnecting' | 'ended';
  /** The number of responses. */
  events: number;
  /** When the latest response arrived, in milliseconds since 1970. */
  receivedAt: number | null;
  /** The latest response as JSON text. Empty before the first one. */
  responseText: string;
  /** Why the operation has ended or reconnects. */
  reason: string | null;
  requestId: string | null;
}

/** A browser opens at most six connections to a host, and other requests need some of them. */
const MAX_RUNNING = 4;

const operations = new Map<string, LiveOperation>();
const listeners = new Set<() => void>();

function notify() {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const findLiveOperation = (tabId: string) => operations.get(tabId);
const isRunning = ({ state }: LiveOperation) => state.status !== 'ended';
const countRunning = () => [...operations.values()].filter(isRunning).length;

export const useLiveState = (tabId: string) =>
  useSyncExternalStore(subscribe, () => operations.get(tabId)?.state ?? null);

/** What the tab of a live operation shows about it. */
export interface TabMark {
  isRunning: boolean;
  /** The number of responses that arrived while another tab was active. */
  unseen: number;
}

const tabMarks = () =>
  [...operations].map(([tabId, operation]) => [tabId, { isRunning: isRunning(operation), unseen: operation.unseen }]);

/** Returns the mark of each tab with a live operation by the tab's identifier. */
export function useTabMarks(): Map<string, TabMark> {
  const text = useSyncExternalStore(subscribe, () => JSON.stringify(tabMarks()));
  return useMemo(() => new Map(JSON.parse(text) as [string, TabMark][]), [text]);
}

let activeTab = '';

/** Sets the tab to which a new operation belongs. */
export function setActiveTab(tabId: string) {
  activeTab = tabId;
}

/** Ends the operations of closed tabs. */
export function keepOperationsOf(tabIds: string[]) {
  for (const [tabId, operation] of operations) {
    if (tabIds.includes(tabId)) continue;
    operation.stop();
    operations.delete(tabId);
  }
}

let shownAgain: LiveOperation | null = null;

/** Lets `run` show an operation again instead of starting a new one. */
export function showAgain(operation: LiveOperation, run: () => void) {
  shownAgain = operation;
  run();
  shownAgain = null;
}

export function takeShownAgain(): LiveOperation | null {
  const taken = shownAgain;
  shownAgain = null;
  return taken;
}

/** Starts an operation in the active tab, instead of the one that runs there. */
export function startLiveOperation(parameters: FetchParameters, headers: Headers, observer: Observer) {
  operations.get(activeTab)?.stop();
  operations.delete(activeTab);
  const operation = new LiveOperation(activeTab, parameters, headers);
  const subscription = operation.show(observer);
  if (countRunning() >= MAX_RUNNING) {
    operation.reject(
      `Request not sent. At most ${MAX_RUNNING} live operations run at once, because a browser opens six ` +
        'connections to a host. Stop one of them.',
    );
  } else {
    void operation.run();
  }
  operations.set(activeTab, operation);
  notify();
  return subscription;
}

const RECONNECT_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000];

export class LiveOperation {
  state: LiveState;
  /** The number of responses that arrived while another tab was active. */
  unseen = 0;
  /** Null while another tab is active. */
  private observer: Observer | null = null;
  private readonly controller = new AbortController();
  private readonly selected = getSession().selected;
  private cursor: string | null = null;
  private failures = 0;

  constructor(
    private readonly tabId: string,
    private readonly parameters: FetchParameters,
    private readonly headers: Headers,
  ) {
    const identity = senderLabel(headers, this.selected);
    this.state = {
      identity,
      status: 'connecting',
      events: 0,
      receivedAt: null,
      responseText: '',
      reason: null,
      requestId: null,
    };
  }

  get isHidden() {
    return this.observer === null;
  }

  /** Shows the latest response in the active tab, and the ones that follow. */
  show(observer: Observer) {
    this.observer = observer;
    this.unseen = 0;
    notify();
    // GraphiQL expects no response before it has the subscription.
    queueMicrotask(() => {
      if (this.observer !== observer) return;
      if (this.state.responseText) observer.next(JSON.parse(this.state.responseText));
      if (this.state.status === 'ended') observer.complete();
    });
    return {
      unsubscribe: () => {
        if (this.observer !== observer) return;
        this.observer = null;
        // GraphiQL unsubscribes when the user stops the operation, and before it activates another tab.
        setTimeout(() => {
          if (this.tabId === activeTab && this.isHidden) this.stop();
        });
      },
    };
  }

  /** Ends the operation because the user wants it. */
  stop() {
    if (isRunning(this)) this.end('Stopped.');
  }

  /** Ends an operation that was not sent. */
  reject(message: string) {
    this.receive({ errors: [{ message }] });
    this.end('No request was sent.');
  }

  /** Runs the operation until it ends. Resumes it after an interruption. */
  async run() {
    while (isRunning(this)) {
      const interrupted = await this.connect().catch(() => this.afterLostConnection());
      if (!isRunning(this) || !interrupted) return;
      this.update({ status: 'reconnecting', reason: interrupted });
      const delay = RECONNECT_DELAYS_MS[Math.min(this.failures, RECONNECT_DELAYS_MS.length - 1)];
      this.failures += 1;
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }

  private get wasConnected() {
    return this.state.requestId !== null;
  }

  /** Returns why the stream was interrupted, or null if the operation has ended. */
  private async connect(): Promise<string | null> {
    const headers = new Headers(this.headers);
    headers.set('accept', 'text/event-stream, application/json;q=0.9');
    if (this.cursor !== null) headers.set('last-event-id', this.cursor);
    const { response } = await send(this.parameters, headers, this.controller.signal, this.selected);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
      return this.afterRejection(response);
    }
    this.update({ status: 'running', reason: null, requestId: response.headers.get('x-request-id') });
    for await (const { type, id, data } of readEvents(response.body)) {
      this.failures = 0;
      if (type === 'complete') {
        this.end(endReason(firstErrorCode(this.state.responseText), this.state.events));
        return null;
      }
      if (type !== 'next') continue;
      this.cursor = id ?? this.cursor;
      this.receive(JSON.parse(data));
    }
    return 'The gateway has closed the connection. Reconnecting…';
  }

  private async afterRejection(response: Response): Promise<string | null> {
    if (this.wasConnected && [429, 502, 503, 504].includes(response.status)) {
      return 'The gateway is not available. Reconnecting…';
    }
    this.receive(await parseBody(response));
    this.end(response.status === 401 ? TOKEN_REJECTED : `The gateway has rejected the operation (${response.status}).`);
    return null;
  }

  private afterLostConnection(): string | null {
    if (this.wasConnected) return 'The connection was lost. Reconnecting…';
    if (isRunning(this)) this.receive({ errors: [{ message: UNREACHABLE }] });
    this.end('No response');
    return null;
  }

  private receive(body: unknown) {
    if (this.isHidden) this.unseen += 1;
    this.update({ responseText: formatBody(body), events: this.state.events + 1, receivedAt: Date.now() });
    this.observer?.next(body);
  }

  private end(reason: string) {
    if (!isRunning(this)) return;
    this.update({ status: 'ended', reason });
    this.controller.abort();
    this.observer?.complete();
  }

  private update(part: Partial<LiveState>) {
    if (!isRunning(this)) return;
    this.state = { ...this.state, ...part };
    notify();
  }
}

const TOKEN_REJECTED = 'The gateway has rejected the token, which may have expired. Use another one, and run again.';

const END_REASONS: Record<string, string> = {
  BAD_USER_INPUT: 'The gateway has ended the operation: the input is invalid, or it no longer has the missed changes.',
  FORBIDDEN: 'The gateway has ended the operation: the identity has lost the right to a selected field.',
  NOT_FOUND: 'The gateway has ended the operation: the identity cannot see the tenant, or can no longer see it.',
  UNAUTHENTICATED: 'The gateway has rejected the operation: it needs a token.',
  UNAVAILABLE: 'The gateway has ended the operation: it cannot report all changes. Run the operation again.',
  USER_DISABLED: 'The gateway has ended the operation: the user is disabled.',
  USER_NOT_PROVISIONED: 'The gateway has ended the operation: the user does not exist, or was deleted.',
};

/** Explains why the gateway has completed an operation whose last response has this error code. */
function endReason(code: string | null, events: number): string {
  if (code !== null) return END_REASONS[code] ?? `The gateway has ended the operation: ${code}.`;
  return events === 0 ? 'The operation is complete, without an event.' : 'The operation is complete.';
}
