/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest connection that is worth having: WebSocket first, an event
 * stream where that does not pass, tokens renewed in time, what was missed
 * asked for after a break. PROTOCOL.md says what goes over the wire; a site
 * uses the client in client/, which does more.
 */
const RENEW_AT = 0.8;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15000;
const STABLE_MS = 3000;
const OPEN_MS = 8000;

export class Connection {
  #base;
  #mint;
  #on;
  #channels = new Set();
  #link = null; // what is open: { close(), subscribe(channels)?, renew() }
  #only = '';
  #round = 0; // a new one makes everything older deaf
  #retries = 0;
  #timers = new Set();
  #last = ''; // id of the newest message seen

  /** on: { state(name, transport), message(event, channel, data, id), gap() } */
  constructor(base, mint, on) {
    this.#base = base;
    this.#mint = mint;
    this.#on = on;
  }

  /** Add channels; at once if it is open. */
  subscribe(channels) {
    const fresh = channels.filter((name) => !this.#channels.has(name));
    fresh.forEach((name) => this.#channels.add(name));
    if (fresh.length && this.#link) {
      if (this.#link.subscribe) {
        this.#link.subscribe(fresh);
      } else {
        this.open(); // an event stream's channels are fixed
      }
    }
  }

  /** "sse" keeps away from WebSocket; "" does not. */
  limitTo(transport) {
    this.#only = transport;
    this.open();
  }

  /** Open it, or anew; it stays open from then on. */
  async open() {
    const round = this.#reset();
    this.#on.state('connecting');
    const token = await this.#mint();
    if (round !== this.#round) return;
    if (this.#only === 'sse') this.#openStream(round, token);
    else this.#openSocket(round, token);
  }

  /** As if the network had gone. */
  drop() {
    const round = this.#reset();
    this.#retry(round);
  }

  #reset() {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.#link?.close();
    this.#link = null;
    return ++this.#round;
  }

  #later(ms, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #retry(round) {
    if (round !== this.#round) return;
    this.#reset();
    const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries++);
    this.#on.state('waiting');
    this.#later(most / 2 + (Math.random() * most) / 2, () => this.open());
  }

  #opened(transport, exp, renew) {
    this.#on.state('connected', transport);
    this.#later(STABLE_MS, () => { this.#retries = 0; });
    this.#later(Math.max(10, (exp - Date.now() / 1000) * RENEW_AT) * 1000, renew);
  }

  #openSocket(round, { token, exp }) {
    const socket = new WebSocket(`${this.#base.replace(/^http/, 'ws')}/ws?token=${token}`);
    const send = (message) => socket.send(JSON.stringify(message));
    const ask = (channels) => send({ type: 'subscribe', channels, ...(this.#last && { since: this.#last }) });
    const mine = (act) => (event) => { if (round === this.#round) act(event); };
    let wasOpen = false;

    const renew = async () => {
      const next = await this.#mint();
      if (round !== this.#round) return;
      send({ type: 'auth', token: next.token });
      this.#later(Math.max(10, (next.exp - Date.now() / 1000) * RENEW_AT) * 1000, renew);
    };
    this.#link = { close: () => socket.close(), subscribe: ask };
    const late = this.#later(OPEN_MS, () => socket.close());
    socket.onopen = mine(() => {
      wasOpen = true;
      clearTimeout(late);
      ask([...this.#channels]);
      this.#opened('WebSocket', exp, renew);
    });
    socket.onmessage = mine(({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'ping') send({ type: 'pong' });
      else if (message.type === 'gap') this.#on.gap();
      else if (message.type === 'message') this.#take(message);
      if (message.type !== 'message' && message.id) this.#last = message.id;
    });
    socket.onclose = mine(() => {
      // Never opened: perhaps something on the way lets no WebSocket pass.
      if (wasOpen || this.#only === 'ws') this.#retry(round);
      else this.#openStream(round, { token, exp });
    });
  }

  #openStream(round, { token, exp }) {
    const query = new URLSearchParams({ token, channels: [...this.#channels].join(','), ...(this.#last && { since: this.#last }) });
    const stream = new EventSource(`${this.#base}/sse?${query}`);
    const mine = (act) => (event) => { if (round === this.#round) act(event); };

    this.#link = { close: () => stream.close() };
    stream.onopen = mine(() => this.#opened('event stream', exp, () => this.open()));
    stream.onmessage = mine(({ data, lastEventId }) => {
      if (data) this.#take({ ...JSON.parse(data), id: lastEventId });
      else if (lastEventId) this.#last = lastEventId;
    });
    stream.addEventListener('wps.gap', mine(() => this.#on.gap()));
    stream.onerror = mine(() => this.#retry(round));
  }

  #take({ event, channel, data, id }) {
    if (id) this.#last = id;
    // Events of the relay itself, such as wps.presence, are no messages.
    if (!event.startsWith('wps.')) this.#on.message(event, channel, data, id);
  }
}
