// The pane that lists the examples by group.
import type { GraphiQLPlugin } from '@graphiql/react';
import { useOpenExample } from './example-tabs';
import { EXAMPLES, type Example } from './examples';
import { useSession } from './session';

function Icon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
      <path d="M3 4.5h9M3 10h6M3 15.5h9" />
      <path d="M13 7.8v6l4-3z" strokeLinejoin="round" />
    </svg>
  );
}

function ExamplesPane() {
  const { devMode } = useSession();
  const openExample = useOpenExample();
  const available = EXAMPLES.filter(({ withoutDemoData }) => devMode || withoutDemoData);
  const groups = [...new Set(available.map(({ group }) => group))];
  return (
    <section aria-label="Examples" className="examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      {groups.map((group) => (
        <div key={group}>
          <h2>{group}</h2>
          <ul>
            {available
              .filter((example) => example.group === group)
              .map((example) => (
                <li key={example.name}>
                  <ExampleCard example={example} devMode={devMode} onOpen={(byKeyboard) => openExample(example, byKeyboard)} />
                </li>
              ))}
          </ul>
        </div>
      ))}
      <p className="examples-licenses">
        The playground is built with GraphiQL. See the{' '}
        <a href="playground/licenses.md">licences of third-party packages</a>.
      </p>
    </section>
  );
}

interface ExampleCardProps {
  example: Example;
  devMode: boolean;
  onOpen: (byKeyboard: boolean) => void;
}

function ExampleCard({ example, devMode, onOpen }: ExampleCardProps) {
  return (
    <button type="button" className="example" onClick={({ detail }) => onOpen(detail === 0)}>
      <span className="example-head">
        <strong>{example.name}</strong>
        {devMode && <span className="example-identity">as {example.identity}</span>}
      </span>
      <span className="example-description">{renderCode(example.description)}</span>
      {example.codes.length > 0 && (
        <span className="example-codes">
          {example.codes.map((code) => (
            <code key={code}>{code}</code>
          ))}
        </span>
      )}
    </button>
  );
}

/** Renders text between backticks as code. */
const renderCode = (text: string) =>
  text.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));

export const EXAMPLES_PLUGIN: GraphiQLPlugin = { title: 'Examples', icon: Icon, content: ExamplesPane };
