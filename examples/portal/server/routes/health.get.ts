// A liveness check for the container runtime. It contacts no other service.
export default defineEventHandler(() => ({ status: 'alive' }))
