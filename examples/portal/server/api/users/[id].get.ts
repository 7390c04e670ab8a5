import { UserDocument } from '../../gql/graphql'

// The fields of another user that only platform admins may see.
const GUARDED = ['user.subject', 'user.platformAdmin', 'user.disabled', 'user.lastSeenAt']

// Returns a user with all memberships, for platform admins.
export default defineEventHandler(async (event) => {
  const id = getRouterParam(event, 'id', { decode: true }) ?? ''
  const { data, forbiddenFields } = await callGateway(event, UserDocument, { id }, { guardedFields: GUARDED })
  if (!data.user) throw createApiError({ code: 'NOT_FOUND' })
  if (forbiddenFields.length > 0) throw createApiError({ code: 'FORBIDDEN' })
  return { user: data.user, isViewer: data.user.id === data.me.id }
})
