// Opens examples in tabs and fills in their variables and headers. Variables contain identifiers from
// this gateway's demo data, which change when the data is recreated. Headers are never stored.
import { useGraphiQL, useGraphiQLActions, useMonaco } from '@graphiql/react';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import {
  fetchPlaceholderValues,
  fillPlaceholders,
  findExample,
  loadFilledVariables,
  saveFilledVariables,
  type Example,
  type PlaceholderValues,
} from './examples';
import { ANONYMOUS, selectIdentity, useSession } from './session';

const PlaceholderContext = createContext<PlaceholderValues | null>(null);

/** The demo identity that can read all demo data. */
const PLATFORM_ADMIN = 'ada';

export function PlaceholderProvider({ children }: { children: ReactNode }) {
  const { devMode, identities } = useSession();
  const [values, setValues] = useState<PlaceholderValues | null>(null);
  const token = identities.find(({ name }) => name === PLATFORM_ADMIN)?.token;
  useEffect(() => {
    if (!devMode || !token || values) return;
    fetchPlaceholderValues(token).then(setValues, () => setValues(new Map()));
  }, [devMode, token, values]);
  return <PlaceholderContext value={values}>{children}</PlaceholderContext>;
}

export function FillExampleTab() {
  const values = useContext(PlaceholderContext);
  const { tabs, activeTabIndex, variableEditor, headerEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  const tab = tabs[activeTabIndex];
  const id = tab?.id;
  const example = findExample(tab?.query ?? null);
  useEffect(() => {
    if (!tab || !example || !values || !variableEditor || !headerEditor) return;
    const { variables, headers } = fillPlaceholders(example, values);
    if (headers && tab.headers === null) headerEditor.setValue(headers);
    const unedited = !tab.variables || tab.variables === loadFilledVariables()[example.name];
    if (!variables || !unedited) return;
    variableEditor.setValue(variables);
    saveFilledVariables(example, variables);
    // Depends on the tab's id and not on `tab`: runs when a tab becomes active, not at each keystroke.
  }, [id, example, values, variableEditor, headerEditor]);
  return null;
}

/**
 * Returns a function that selects an example's identity and opens the example. It activates the tab that
 * already contains the example, or adds a tab.
 */
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
    const { identity, query } = example;
    if (identity === ANONYMOUS || identities.some(({ name }) => name === identity)) selectIdentity(identity);
    const openTab = tabs.findIndex((tab) => tab.query === query);
    if (openTab >= 0) {
      changeTab(openTab);
    } else {
      addTab();
      queryEditor?.setValue(query);
    }
  };
}
