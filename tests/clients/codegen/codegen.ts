import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../../schema.graphql',
  documents: ['src/**/*.ts', '!src/gql/**'],
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: {
        // A name without `use`, so that linters do not mistake it for a React hook.
        fragmentMasking: { unmaskFunctionName: 'readFragment' },
        // Writes persisted-documents.json, the file for TENANTRY_TRUSTED_DOCUMENTS_FILE.
        persistedDocuments: true,
      },
      config: {
        // Documents are typed strings, so the bundle does not contain the graphql package.
        documentMode: 'string',
        // A custom scalar without a configured type is an error instead of `any`.
        strictScalars: true,
        scalars: { DateTime: 'string', ID: 'string', JSON: 'unknown' },
        // Servers can add enum values, so a `switch` needs a `default`.
        futureProofEnums: true,
        useTypeImports: true,
        importExtension: '.js',
      },
    },
  },
};

export default config;
