/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member of a room that is written from the wire documents alone: the
 * ecosystem's frames in the clear, and ours sealed. It takes part as another
 * build's editor would, and is what the editors' documents are compared with.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import WebSocket from 'ws';
import * as Y from 'yjs';

const STEP1 = 1;
const STEP2 = 2;
const UPDATE = 3;
const AWARENESS = 4;
const PIECE = 5;

/** The sealed form: 0x80, version, IV, ciphertext, tag. */
function seal(channel, key, frame) {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.concat([Buffer.of(1), Buffer.from(channel)]));
  return Buffer.concat([Buffer.of(0x80, 1), iv, cipher.update(frame), cipher.final(), cipher.getAuthTag()]);
}

function open(channel, key, bytes) {
  if (bytes[0] !== 0x80 || bytes[1] !== 1) return null;
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(2, 14))
    .setAAD(Buffer.concat([Buffer.of(1), Buffer.from(channel)]))
    .setAuthTag(bytes.subarray(-16));
  return Buffer.concat([cipher.update(bytes.subarray(14, -16)), cipher.final()]);
}

/** A connection to the relay that is in one room. */
export class Peer {
  constructor({ url, token, channel, key, doc = new Y.Doc() }) {
    Object.assign(this, { url, token, channel, doc });
    this.key = key ? Buffer.from(key, 'base64') : null;
    this.awareness = new Awareness(doc);
    this.frames = [];
    this.refused = [];
    /** When the relay has said whether it may listen there. */
    this.answered = new Promise((done) => { this.answer = done; });
    this.pieces = new Map();
    this.lastStep1 = 0;
    doc.on('update', (update, origin) => {
      if (origin !== this) this.say(UPDATE, update);
    });
  }

  async connect() {
    this.socket = new WebSocket(`${this.url.replace(/^http/, 'ws')}/ws?token=${this.token}`);
    this.closed = new Promise((done) => this.socket.on('close', (code) => done(code)));
    this.socket.on('message', (data, isBinary) => (isBinary ? this.take(data) : this.hear(JSON.parse(data))));
    this.socket.on('error', () => {});
    const opened = new Promise((done) => this.socket.on('open', () => done(true)));
    if (!await Promise.race([opened, this.closed.then(() => false)])) return false;
    this.socket.send(JSON.stringify({ type: 'subscribe', channels: [this.channel] }));
    this.step1();
    this.sayAwareness();
    return true;
  }

  hear(frame) {
    if (frame.type === 'ping') this.socket.send('{"type":"pong"}');
    if (frame.type === 'error') this.refused.push(frame.code);
    if (frame.type === 'error' || frame.type === 'subscribed') this.answer();
    if (frame.type === 'unsubscribed') this.refused.push('unsubscribed');
  }

  step1() {
    this.lastStep1 = Date.now();
    this.say(STEP1, Y.encodeStateVector(this.doc));
  }

  sayAwareness() {
    if (this.awareness.getLocalState()) {
      this.say(AWARENESS, encodeAwarenessUpdate(this.awareness, [this.awareness.clientID]));
    }
  }

  say(type, data) {
    const frame = Buffer.concat([Buffer.of(type), data]);
    this.raw(this.key ? seal(this.channel, this.key, frame) : frame);
  }

  raw(payload) {
    const name = Buffer.from(this.channel);
    const head = Buffer.alloc(2);
    head.writeUInt16BE(name.length);
    this.socket.send(Buffer.concat([head, name, payload]));
  }

  take(bytes) {
    const length = bytes.readUInt16BE(0);
    const name = bytes.subarray(2, 2 + length).toString();
    const payload = bytes.subarray(2 + length);
    this.frames.push({ name, payload });
    const frame = this.key ? open(name, this.key, payload) : payload;
    if (frame) this.handle(frame[0], frame.subarray(1));
  }

  handle(type, data) {
    if (type === STEP1) {
      this.say(STEP2, Y.encodeStateAsUpdate(this.doc, data));
      if (Date.now() - this.lastStep1 > 2000) this.step1();
    } else if (type === STEP2 || type === UPDATE) {
      Y.applyUpdate(this.doc, data, this);
    } else if (type === AWARENESS) {
      const alone = this.awareness.getStates().size <= 1;
      applyAwarenessUpdate(this.awareness, data, this);
      if (alone) this.sayAwareness();
    } else if (type === PIECE) {
      this.piece(data);
    }
  }

  piece(data) {
    const id = data.toString('hex', 0, 8);
    const at = data.readUInt32BE(12);
    const whole = this.pieces.get(id) ?? { bytes: Buffer.alloc(data.readUInt32BE(8)), have: 0 };
    data.copy(whole.bytes, at, 16);
    whole.have += data.length - 16;
    this.pieces.set(id, whole);
    if (whole.have === whole.bytes.length) {
      this.pieces.delete(id);
      this.handle(whole.bytes[0], whole.bytes.subarray(1));
    }
  }

  /** The blocks of a post's document, without what an editor makes up for itself. */
  blocks() {
    const plain = (value) => (value instanceof Y.Text || value?.toJSON ? value.toJSON() : value);
    const read = (block) => {
      const { name, attributes, innerBlocks } = plain(block);
      return { name, attributes, innerBlocks: (innerBlocks ?? []).map((inner) => read({ toJSON: () => inner })) };
    };
    const blocks = this.doc.getMap('document').get('blocks');
    return blocks ? blocks.toArray().map(read) : [];
  }

  /** The identities of these blocks, in their order. */
  identities() {
    const blocks = this.doc.getMap('document').get('blocks');
    return blocks ? blocks.toArray().map((block) => block.toJSON().clientId) : [];
  }

  close() {
    this.awareness.destroy();
    this.socket?.terminate();
    this.doc.destroy();
  }
}
