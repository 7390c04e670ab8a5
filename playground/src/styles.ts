// GraphiQL's own sheet has the editor's and fonts in it, as text; here each is a file.
import './fonts.css';
import '@graphiql/react/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import './style.css';
