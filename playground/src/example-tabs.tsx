// Fills in what an example's tab needs when it comes to the front: identifiers of this gateway's own
// data, which are others after a fresh start, and headers, which are not kept.
import { useGraphiQL, useGraphiQLActions, useMonaco } from '@graphiql/react';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { exampleOf, filled, findPlaces, lastFilled, remember, type Example, type Places } from './examples';
import { choose, NOBODY, useSession } from './session';

const PlacesContext = createContext<Places | null>(null);

/** Who sees everything, in the demo data. */
const SEES_ALL = 'ada';

export function PlacesProvider({ children }: { children: ReactNode }) {
  const { dev, identities } = useSession();
  const [places, setPlaces] = useState<Places | null>(null);
  const token = identities.find(({ name }) => name === SEES_ALL)?.token;
  useEffect(() => {
    if (!dev || !token || places) return;
    findPlaces(token).then(setPlaces, () => setPlaces(new Map()));
  }, [dev, token, places]);
  return <PlacesContext value={places}>{children}</PlacesContext>;
}

export function ExampleTabs() {
  const places = useContext(PlacesContext);
  const { tabs, activeTabIndex, variableEditor, headerEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  const tab = tabs[activeTabIndex];
  const id = tab?.id;
  const example = exampleOf(tab?.query ?? null);
  useEffect(() => {
    if (!tab || !example || !places || !variableEditor || !headerEditor) return;
    const { variables, headers } = filled(example, places);
    if (headers && tab.headers === null) headerEditor.setValue(headers);
    const untouched = !tab.variables || tab.variables === lastFilled()[example.name];
    if (!variables || !untouched) return;
    variableEditor.setValue(variables);
    remember(example, variables);
    // Once for each time that a tab comes to the front, not for each letter that is written there.
  }, [id, example, places, variableEditor, headerEditor]);
  return null;
}

/** Opens an example in a tab of its own, or the tab where it is open already, as whom it is for. */
export function useOpenExample(): (example: Example) => void {
  const { identities } = useSession();
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, queryEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    queryEditor: state.queryEditor,
  }));
  const ready = useMonaco((state) => Boolean(state.monaco));
  return (example) => {
    if (!ready) return;
    if (example.as === NOBODY || identities.some(({ name }) => name === example.as)) choose(example.as);
    const open = tabs.findIndex(({ query }) => query === example.query);
    if (open >= 0) {
      changeTab(open);
    } else {
      addTab();
      queryEditor?.setValue(example.query);
    }
  };
}
