// Opens examples in tabs, fills in their variables and headers, and selects their identities. Variables
// contain identifiers and versions from this gateway's demo data. Headers are never stored.
import { useGraphiQL, useGraphiQLActions, useMonaco } from '@graphiql/react';
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react';
import {
  fetchPlaceholderValues,
  fillPlaceholders,
  findExample,
  loadFilledVariables,
  randomText,
  saveFilledVariables,
  type Example,
  type FilledExample,
  type PlaceholderValues,
} from './examples';
import { useLatestOutcome } from './outcomes';
import { ANONYMOUS, selectIdentity, useSession } from './session';
import { isNarrow } from './window';

const PlaceholderContext = createContext<PlaceholderValues | null>(null);

/** The demo identity that can read all demo data. */
const PLATFORM_ADMIN = 'ada';

/** Provides the values of the placeholders. It fetches them again after a mutation. */
export function PlaceholderProvider({ children }: { children: ReactNode }) {
  const { devMode, identities } = useSession();
  const [values, setValues] = useState<PlaceholderValues | null>(null);
  const outcome = useLatestOutcome();
  const token = useRef<string>(undefined);
  token.current = identities.find(({ name }) => name === PLATFORM_ADMIN)?.token;
  const available = devMode && token.current !== undefined;
  const lastMutation = outcome?.mayHaveWritten ? outcome : null;
  useEffect(() => {
    if (!available || !token.current) return;
    let outdated = false;
    fetchPlaceholderValues(token.current).then(
      (fetched) => outdated || setValues(fetched),
      // The examples can still be run with the last values.
      () => outdated || setValues((known) => known ?? new Map()),
    );
    return () => {
      outdated = true;
    };
  }, [available, lastMutation]);
  return <PlaceholderContext value={values}>{children}</PlaceholderContext>;
}

/** The variables and headers of a tab's example, and the text that replaced `$random` in them. */
interface FilledTab extends FilledExample {
  random: string;
}

export function FillExampleTab() {
  const values = useContext(PlaceholderContext);
  const { tabs, activeTabIndex, variableEditor, headerEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  const { updateActiveTabValues } = useGraphiQLActions();
  const filledTabs = useRef(new Map<string, FilledTab>());
  const tab = tabs[activeTabIndex];
  const id = tab?.id;
  const example = findExample(tab?.query ?? null);
  useEffect(() => {
    if (!id || !example || !values || !variableEditor || !headerEditor) return;
    const variables = variableEditor.getValue();
    const headers = headerEditor.getValue();
    const last = filledTabs.current.get(id);
    // A tab keeps its values while the demo data is the same, so that a repeated request is the same too.
    if (last && isUnchanged(last, fillPlaceholders(example, values, last.random))) return;
    const random = randomText();
    const filled = fillPlaceholders(example, values, random);
    const unedited = !variables || variables === (last?.variables ?? loadFilledVariables()[example.name]);
    if (!unedited) {
      if (!headers) headerEditor.setValue(filled.headers);
      updateActiveTabValues({ headers: headerEditor.getValue() });
      return;
    }
    // An idempotency key belongs to its variables, so both are replaced together.
    if (!headers || headers === last?.headers) headerEditor.setValue(filled.headers);
    variableEditor.setValue(filled.variables);
    // The editors pass their text to the tab a moment later, when another tab may be active.
    updateActiveTabValues({ variables: filled.variables, headers: headerEditor.getValue() });
    filledTabs.current.set(id, { ...filled, random });
    saveFilledVariables(example, filled.variables);
    // Depends on the tab's id and not on `tab`: runs when a tab becomes active, not at each keystroke.
  }, [id, example, values, variableEditor, headerEditor, updateActiveTabValues]);
  return null;
}

const isUnchanged = (last: FilledExample, next: FilledExample) =>
  last.variables === next.variables && last.headers === next.headers;

/**
 * Selects the identity of a tab when the tab becomes active: the one that the user has selected there, else
 * the one that the tab's example is for.
 */
export function SelectIdentityOfTab() {
  const { selected, identities, manualSelections } = useSession();
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]);
  const id = tab?.id;
  const chosen = useRef(new Map<string, string>());
  const lastTab = useRef(id);
  const lastSelections = useRef(manualSelections);
  useEffect(() => {
    if (!id || lastSelections.current === manualSelections) return;
    lastSelections.current = manualSelections;
    chosen.current.set(id, selected);
  }, [id, selected, manualSelections]);
  useEffect(() => {
    // The tab that the page opens with keeps the identity that was selected last.
    if (!id || lastTab.current === id) return;
    lastTab.current = id;
    const wanted = chosen.current.get(id) ?? findExample(tab.query)?.identity;
    if (wanted && isSelectable(wanted, identities)) selectIdentity(wanted);
    // Runs when a tab becomes active.
  }, [id]);
  return null;
}

const isSelectable = (wanted: string, identities: { name: string }[]) =>
  wanted === ANONYMOUS || identities.some(({ name }) => name === wanted);

/**
 * Returns a function that selects an example's identity and opens the example. It activates the tab that
 * already contains the example, or adds a tab.
 */
export function useOpenExample(): (example: Example, byKeyboard: boolean) => void {
  const { identities } = useSession();
  const { addTab, changeTab, setVisiblePlugin } = useGraphiQLActions();
  const { tabs, queryEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    queryEditor: state.queryEditor,
  }));
  const ready = useMonaco((state) => Boolean(state.monaco));
  return (example, byKeyboard) => {
    if (!ready) return;
    const { identity, query } = example;
    if (isSelectable(identity, identities)) selectIdentity(identity);
    const openTab = tabs.findIndex((tab) => tab.query === query);
    if (openTab >= 0) {
      changeTab(openTab);
    } else {
      addTab();
      queryEditor?.setValue(query);
    }
    if (!isNarrow()) return;
    // The pane would cover the operation and its response.
    setVisiblePlugin(null);
    // The focused element is no longer there.
    if (byKeyboard) document.querySelector<HTMLElement>('.graphiql-execute-button')?.focus();
  };
}
