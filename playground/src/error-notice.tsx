// Replaces the page with an explanation if it cannot be rendered.
import { Component, type ReactNode } from 'react';
import { clearStorage } from './storage';

interface Props {
  children: ReactNode;
}

interface State {
  message: string | null;
}

export class ErrorNotice extends Component<Props, State> {
  override state: State = { message: null };

  static getDerivedStateFromError(error: unknown): State {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    const { message } = this.state;
    if (message === null) return this.props.children;
    return (
      <main className="notice" role="alert">
        <h1>The playground has stopped</h1>
        <p>
          It failed with the error <code>{message}</code>. The gateway is not affected.
        </p>
        <p>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>{' '}
          <button type="button" onClick={resetAndReload}>
            Reload without the stored tabs
          </button>
        </p>
      </main>
    );
  }
}

/** Removes all that the playground has stored, because stored data may be the cause. */
function resetAndReload() {
  clearStorage();
  location.reload();
}
