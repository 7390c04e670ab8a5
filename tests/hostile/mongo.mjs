// A client of MongoDB for a few commands: OP_MSG over one connection, and the BSON types that they need.

import { connect } from 'node:net';

const OP_MSG = 2013;

function encode(value) {
  const parts = [];
  for (const [name, item] of Object.entries(value)) {
    const [type, bytes] = encodeItem(item);
    parts.push(Buffer.from([type]), Buffer.from(`${name}\0`), bytes);
  }
  const body = Buffer.concat([...parts, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function encodeItem(item) {
  if (typeof item === 'string') {
    const bytes = Buffer.from(`${item}\0`);
    return [0x02, Buffer.concat([int32(bytes.length), bytes])];
  }
  if (typeof item === 'number') return [0x10, int32(item)];
  if (typeof item === 'boolean') return [0x08, Buffer.from([item ? 1 : 0])];
  return [Array.isArray(item) ? 0x04 : 0x03, encode(item)];
}

function int32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(number);
  return bytes;
}

/** Decodes numbers, booleans, strings and documents. Values of other types are skipped. */
function decode(bytes) {
  const result = {};
  let at = 4;
  while (bytes[at] !== 0) {
    const type = bytes[at];
    const end = bytes.indexOf(0, at + 1);
    const name = bytes.toString('utf8', at + 1, end);
    at = end + 1;
    const [value, length] = decodeItem(type, bytes.subarray(at));
    result[name] = value;
    at += length;
  }
  return result;
}

function decodeItem(type, bytes) {
  switch (type) {
    case 0x01:
      return [bytes.readDoubleLE(), 8];
    case 0x02:
      return [bytes.toString('utf8', 4, 3 + bytes.readInt32LE()), 4 + bytes.readInt32LE()];
    case 0x03:
    case 0x04:
      return [decode(bytes), bytes.readInt32LE()];
    case 0x05:
      return [undefined, 5 + bytes.readInt32LE()];
    case 0x07:
      return [undefined, 12];
    case 0x08:
      return [bytes[0] === 1, 1];
    case 0x0a:
      return [null, 0];
    case 0x10:
      return [bytes.readInt32LE(), 4];
    case 0x12:
      return [Number(bytes.readBigInt64LE()), 8];
    case 0x09:
    case 0x11:
      return [undefined, 8];
    default:
      throw new Error(`BSON type ${type} is not supported`);
  }
}

/** One connection, which executes one command at a time. */
export class Mongo {
  static async connect(port) {
    const mongo = new Mongo();
    mongo.socket = connect(port, '127.0.0.1');
    mongo.received = Buffer.alloc(0);
    mongo.socket.on('data', (chunk) => {
      mongo.received = Buffer.concat([mongo.received, chunk]);
      mongo.deliver();
    });
    await new Promise((resolve, reject) => mongo.socket.once('connect', resolve).once('error', reject));
    mongo.socket.on('error', (error) => mongo.pending?.reject(error));
    return mongo;
  }

  /** Executes a command and returns its reply. Fails if the command failed. */
  async command(database, command) {
    const body = Buffer.concat([int32(0), Buffer.from([0]), encode({ ...command, $db: database })]);
    const reply = new Promise((resolve, reject) => (this.pending = { resolve, reject }));
    this.socket.write(Buffer.concat([int32(body.length + 16), int32(1), int32(0), int32(OP_MSG), body]));
    const decoded = decode(await reply);
    if (decoded.ok !== 1) throw new Error(`${Object.keys(command)[0]}: ${decoded.errmsg}`);
    return decoded;
  }

  deliver() {
    if (this.received.length < 4 || this.received.length < this.received.readInt32LE()) return;
    const length = this.received.readInt32LE();
    const document = this.received.subarray(21, length);
    this.received = this.received.subarray(length);
    this.pending.resolve(document);
  }

  close() {
    this.socket.destroy();
  }
}
