import type { CodegenConfig } from '@graphql-codegen/cli'

// Generates the types and documents for the server's routes, and the list of trusted documents for the gateway
// (`TENANTRY_TRUSTED_DOCUMENTS_FILE`). Both are committed. `npm run codegen:check` fails if they are out of date.
const folder = process.env.GQL_FOLDER ?? 'server/gql/'

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: 'graphql/*.graphql',
  generates: {
    [folder]: {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        // The gateway identifies a document by its SHA-256 hash.
        persistedDocuments: { hashAlgorithm: 'sha256' },
      },
      config: {
        documentMode: 'string',
        onlyOperationTypes: true,
        useTypeImports: true,
        enumsAsTypes: true,
        avoidOptionals: { field: true },
        scalars: { DateTime: 'string', JSON: 'unknown' },
        strictScalars: true,
      },
    },
  },
}

export default config
