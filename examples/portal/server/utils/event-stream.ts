/** An event of a `text/event-stream` body. A comment has no type. */
export interface StreamEvent {
  type?: string
  id?: string
  data: string
}

/** Yields the events and comments of an event stream, as the HTML standard defines their format. */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    for (const block of blocks) yield parseBlock(block)
  }
}

function parseBlock(block: string): StreamEvent {
  const event: StreamEvent = { data: '' }
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^(\w+)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'id') event.id = value
    else if (field === 'event') event.type = value
  }
  event.data = data.join('\n')
  if (data.length > 0) event.type ??= 'message'
  return event
}

/** Returns the text of an event. Its data has one line. */
export const formatEvent = (type: string, data: object, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
