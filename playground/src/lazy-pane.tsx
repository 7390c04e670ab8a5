// A pane whose code is loaded when the user opens it for the first time.
import { lazy, Suspense, type ComponentType } from 'react';

export function lazyPane(load: () => Promise<ComponentType>): ComponentType {
  const Content = lazy(async () => ({ default: await load().catch(() => LoadError) }));
  return function LazyPane() {
    return (
      <Suspense fallback={<p role="status">Loading…</p>}>
        <Content />
      </Suspense>
    );
  };
}

function LoadError() {
  return (
    <section className="no-schema" aria-label="Not loaded" role="alert">
      <p>This pane could not be loaded. The gateway may be unreachable, or may have another version by now.</p>
      <button type="button" className="small-button" onClick={() => location.reload()}>
        Reload
      </button>
    </section>
  );
}
