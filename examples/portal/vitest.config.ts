import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

// Unit tests of functions that need neither Nuxt nor a browser. `make portal` runs the portal in a real browser.
export default defineConfig({
  resolve: { alias: { '#shared': path('./shared'), '~': path('./app') } },
  test: { include: ['tests/**/*.test.ts'] },
})
