import { UpdateUserDocument, type UpdateUserInput } from '../../gql/graphql'

// Changes the rights of a user: `{id, version, disabled?, platformAdmin?}`.
export default defineEventHandler(async (event) => {
  const input = await readVersioned<UpdateUserInput>(event, [], ['disabled', 'platformAdmin'])
  const data = await mutateGateway(event, UpdateUserDocument, input)
  return data.updateUser.user
})
