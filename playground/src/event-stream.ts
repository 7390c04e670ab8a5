// Reads a response of the type `text/event-stream`.

export interface StreamEvent {
  /** The type, such as `next`. */
  type: string;
  data: string;
  id: string | null;
}

/** Yields the events of a stream. Comments are not events. */
export async function* readEvents(body: ReadableStream<BufferSource>): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (pending + value.replaceAll('\r', '')).split('\n\n');
    pending = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

function parseEvent(block: string): StreamEvent | null {
  const fields = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line));
  const values = (wanted: string) => fields.flatMap((field) => (field?.[1] === wanted ? [field[2] ?? ''] : []));
  const data = values('data');
  const type = values('event').at(-1);
  if (type === undefined && data.length === 0) return null;
  return { type: type ?? 'message', data: data.join('\n'), id: values('id').at(-1) ?? null };
}
