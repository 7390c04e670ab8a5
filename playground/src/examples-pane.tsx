// All examples, what they show, and for whom.
import type { GraphiQLPlugin } from '@graphiql/react';
import { EXAMPLES, type Example } from './examples';
import { useOpenExample } from './example-tabs';
import { useSession } from './session';

function Icon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
      <path d="M3 4.5h9M3 10h6M3 15.5h9" />
      <path d="M13 7.8v6l4-3z" strokeLinejoin="round" />
    </svg>
  );
}

function Pane() {
  const { dev } = useSession();
  const open = useOpenExample();
  const shown = EXAMPLES.filter(({ anywhere }) => dev || anywhere);
  const groups = [...new Set(shown.map(({ group }) => group))];
  return (
    <section aria-label="Examples" className="examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      {groups.map((group) => (
        <div key={group}>
          <h2>{group}</h2>
          <ul>
            {shown
              .filter((example) => example.group === group)
              .map((example) => (
                <li key={example.name}>
                  <Card example={example} dev={dev} onOpen={() => open(example)} />
                </li>
              ))}
          </ul>
        </div>
      ))}
      <p className="examples-licenses">
        This is GraphiQL, with <a href="playground/licenses.md">what it stands on</a>.
      </p>
    </section>
  );
}

function Card({ example, dev, onOpen }: { example: Example; dev: boolean; onOpen: () => void }) {
  return (
    <button type="button" className="example" onClick={onOpen}>
      <span className="example-head">
        <strong>{example.name}</strong>
        {dev && <span className="example-as">as {example.as}</span>}
      </span>
      <span className="example-about">{marked(example.about)}</span>
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

/** What is between backticks is a name. */
const marked = (text: string) =>
  text.split('`').map((part, place) => (place % 2 ? <code key={place}>{part}</code> : part));

export const EXAMPLES_PLUGIN: GraphiQLPlugin = { title: 'Examples', icon: Icon, content: Pane };
