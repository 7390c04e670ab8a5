// The buttons that copy the operation as a link or as a curl command.
import { ToolbarButton, useGraphiQL } from '@graphiql/react';
import { useState, type ReactNode } from 'react';
import { toCurl } from './curl';
import { linkTo } from './link';
import { identityLabel, ANONYMOUS } from './session';

export function ShareButtons() {
  const { tab, operationName, operations, queryEditor, variableEditor, headerEditor } = useGraphiQL((state) => ({
    tab: state.tabs[state.activeTabIndex],
    operationName: state.operationName,
    operations: state.operations,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  const operation = () => ({
    query: queryEditor?.getValue() ?? tab?.query ?? '',
    variables: variableEditor?.getValue() ?? '',
    operationName: operationName ?? null,
  });
  const selectedOperation = () =>
    operations?.find(({ name }) => name?.value === operationName) ?? operations?.[0];
  const curl = () =>
    toCurl({
      ...operation(),
      headers: headerEditor?.getValue() ?? '',
      live: selectedOperation()?.operation === 'subscription',
      authorized: identityLabel() !== ANONYMOUS,
    });
  return (
    <>
      <CopyButton label="Copy link" getText={() => linkTo(operation())}>
        <path d="M8.5 11.5l3-3M7 9l-2.3 2.3a2.8 2.8 0 0 0 4 4L11 13M9 7l2.3-2.3a2.8 2.8 0 0 1 4 4L13 11" />
      </CopyButton>
      <CopyButton label="Copy as cURL" getText={curl}>
        <path d="M4 6l4 4-4 4M10 14h6" />
      </CopyButton>
    </>
  );
}

interface CopyButtonProps {
  label: string;
  getText: () => string;
  /** The shape of the icon. */
  children: ReactNode;
}

/** Shows the result of copying until the focus leaves the button. */
function CopyButton({ label, getText, children }: CopyButtonProps) {
  const [result, setResult] = useState<string | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(getText());
      setResult('Copied');
    } catch (error) {
      setResult(error instanceof SyntaxError ? 'Variables or headers are not JSON' : 'Copying failed');
    }
  };
  return (
    <span className="copy-button" onBlur={() => setResult(null)}>
      <ToolbarButton
        label={label}
        onClick={({ currentTarget }) => {
          // Not every browser focuses a button when it is clicked.
          currentTarget.focus();
          void copy();
        }}
      >
        <svg
          className="graphiql-toolbar-icon"
          viewBox="0 0 20 20"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeLinecap="round"
          aria-hidden="true"
        >
          {children}
        </svg>
      </ToolbarButton>
      <span className="copy-result" role="status">
        {result}
      </span>
    </span>
  );
}
