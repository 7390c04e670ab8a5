import { UsersDocument } from '../../gql/graphql'

// Returns a page of all users: `?search=&only=admins|disabled&after=` or `&before=`.
export default defineEventHandler(async (event) => {
  const query = getQuery(event)
  const only = choiceParameter(query, 'only', ['admins', 'disabled'])
  const filter = {
    search: textParameter(query, 'search'),
    platformAdmin: only === 'admins' ? true : undefined,
    disabled: only === 'disabled' ? true : undefined,
  }
  const { data } = await callGateway(event, UsersDocument, { ...pageArguments(query), filter })
  return data.users
})
