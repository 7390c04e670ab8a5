// Where the editor's languages run, each a file of ours.
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker';
import JsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker';
import GraphqlWorker from 'monaco-graphql/esm/graphql.worker.js?worker';

Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker(_id: string, label: string) {
      if (label === 'graphql') return new GraphqlWorker();
      if (label === 'json') return new JsonWorker();
      return new EditorWorker();
    },
  },
});
