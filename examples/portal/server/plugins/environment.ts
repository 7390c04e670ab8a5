import { validateEnvironment } from '../utils/environment'

// Reports every invalid variable at startup, one per line, and not at the first sign-in.
export default defineNitroPlugin(() => {
  const errors = validateEnvironment(process.env, useRuntimeConfig())
  if (errors.length === 0) return
  for (const error of errors) console.error(error)
  if (import.meta.dev) throw new Error('Invalid environment variables: see the lines above and .env.example.')
  process.exit(2)
})
