import { faultsOfEnvironment } from '../utils/environment'

// What is missing is said at the start, each in a line, and not at the first sign-in.
export default defineNitroPlugin(() => {
  const faults = faultsOfEnvironment(process.env, useRuntimeConfig())
  if (faults.length === 0) return
  for (const fault of faults) console.error(fault)
  if (import.meta.dev) throw new Error('The environment lacks something: see above, and .env.example.')
  process.exit(2)
})
