/**
 * Makes a client of `graphql-ws` or `graphql-sse` resume a subscription after a lost connection.
 *
 * Both send the same request again when they reconnect. This sets its variable `since` to the latest
 * cursor, so that the gateway first sends the changes that were missed.
 */
export function resuming(client) {
  const subscribe = (request, sink) => {
    const resumable = { ...request, variables: { ...request.variables } };
    const next = (result) => {
      const cursor = result.extensions?.cursor;
      if (cursor !== undefined) resumable.variables.since = cursor;
      sink.next(result);
    };
    return client.subscribe(resumable, {
      next,
      error: (error) => sink.error(error),
      complete: () => sink.complete(),
    });
  };
  return { ...client, subscribe };
}
