// Alive: for whoever runs the container. It asks nobody.
export default defineEventHandler(() => ({ status: 'alive' }))
