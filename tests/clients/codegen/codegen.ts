import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../../schema.graphql',
  documents: ['src/**/*.ts', '!src/gql/**'],
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: {
        // Plain functions, so that no linter takes them for hooks of React.
        fragmentMasking: { unmaskFunctionName: 'readFragment' },
        // Writes persisted-documents.json: the list for TENANTRY_DOCUMENTS_FILE.
        persistedDocuments: true,
      },
      config: {
        // Documents are strings with types: nothing of GraphQL is in the bundle.
        documentMode: 'string',
        // A scalar without a type of its own is an error, not `any`.
        strictScalars: true,
        scalars: { DateTime: 'string', ID: 'string', JSON: 'unknown' },
        // Servers learn new words: a `switch` needs its `default`.
        futureProofEnums: true,
        useTypeImports: true,
        importExtension: '.js',
      },
    },
  },
};

export default config;
