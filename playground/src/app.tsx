// The page. It shows a plain form at once, and replaces it with GraphiQL as soon as GraphiQL is loaded.
import { useEffect, useState, type ComponentType } from 'react';
import { initialOperation, saveOperation } from './initial-operation';
import { moveToFront } from './operation';
import { refreshIdentities, useSession } from './session';
import { SkipLinks } from './skip-links';
import { Starter, type StarterState } from './starter';
import { TopBar } from './top-bar';

type Workbench = ComponentType<{ startedWith: StarterState }>;

/** Loads GraphiQL and its editor, so that the editor is ready when GraphiQL is rendered. */
async function loadWorkbench(): Promise<Workbench> {
  const [{ Workbench }] = await Promise.all([
    import('./workbench'),
    import('monaco-graphql/esm/monaco-editor.js'),
    import('monaco-graphql/esm/lite.js'),
  ]);
  return Workbench;
}

export function App() {
  const { devMode } = useSession();
  const [workbench, setWorkbench] = useState<{ Component: Workbench } | null>(null);
  const [open, setOpen] = useState(false);
  const [loadError, setLoadError] = useState(false);
  const [started, setStarted] = useState<StarterState>(() => ({
    ...initialOperation(),
    response: '',
    running: false,
    cursor: null,
  }));
  useEffect(() => {
    // The form needs these for its first request. GraphiQL would delay them, because it occupies the browser.
    const needs = [devMode ? refreshIdentities() : null, import('graphql')];
    Promise.all(needs).then(loadWorkbench).then(
      (Component) => setWorkbench({ Component }),
      () => setLoadError(true),
    );
  }, [devMode]);
  useEffect(() => {
    // The response to a request of the form arrives in the form.
    if (!workbench || started.running || open) return;
    let outdated = false;
    void moveToFront(started.query, started.operationName).then((query) => {
      if (outdated) return;
      saveOperation({ ...started, query });
      setStarted({ ...started, query });
      setOpen(true);
    });
    return () => {
      outdated = true;
    };
  }, [workbench, started, open]);
  return (
    <>
      <SkipLinks />
      <TopBar />
      <main>
        {workbench && open ? (
          <workbench.Component startedWith={started} />
        ) : (
          <Starter state={started} setState={setStarted} loadError={loadError} />
        )}
      </main>
    </>
  );
}
