/* SPDX-License-Identifier: Apache-2.0 */
/* The page of build/demo --relay-only. */
import { Connection } from './connection.js';
import { mint, signed } from './signing.js';

const LOG_ROWS = 200;
const MEDIAN_OF = 101;
const BURST = 20;
const PEOPLE_EVERY_MS = 2000;
const BASE = `${location.origin}/wordsocket`;

const $ = (id) => document.getElementById(id);
const sent = new Map(); // our own publishes under way: reference to time
const took = []; // the newest latencies
let count = 0;

const STATES = { connecting: 'connecting', waiting: 'reconnecting', connected: 'connected' };

function showState(name, transport) {
  $('state').dataset.state = name;
  $('state').textContent = transport ? `${STATES[name]} · ${transport}` : STATES[name];
  if (transport) showPeople();
}

function element(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

function addRow(...cells) {
  const row = document.createElement('li');
  row.append(element('time', '', new Date().toLocaleTimeString([], { hour12: false })), ...cells);
  $('log').prepend(row);
  while ($('log').children.length > LOG_ROWS) $('log').lastChild.remove();
  $('empty').hidden = true;
}

function showLatency(ms) {
  took.push(ms);
  if (took.length > MEDIAN_OF) took.shift();
  const sorted = [...took].sort((a, b) => a - b);
  $('latency').textContent = `${ms.toFixed(1)} ms`;
  $('median').textContent = `${sorted[sorted.length >> 1].toFixed(1)} ms`;
}

function showMessage(event, channel, data, id) {
  $('count').textContent = ++count;
  const begun = sent.get(data?.ref);
  const what = element('span', 'what', `${event} `);
  what.append(element('span', 'channel', channel));
  let ms = '';
  if (begun !== undefined) {
    sent.delete(data.ref);
    const latency = performance.now() - begun;
    showLatency(latency);
    ms = `${latency.toFixed(1)} ms`;
  }
  const text = typeof data?.text === 'string' ? data.text : JSON.stringify(data);
  const row = element('span', 'data', text);
  row.title = id ? `id ${id}` : '';
  addRow(what, element('span', 'took', ms), row);
}

function showAnswer(text, isBad) {
  $('answer').textContent = text;
  $('answer').toggleAttribute('data-bad', Boolean(isBad));
}

async function publish(channel, event, text) {
  const ref = crypto.randomUUID();
  const body = JSON.stringify({ channel, event, data: { text, ref } });
  const headers = await signed(body);
  sent.set(ref, performance.now());
  const response = await fetch(`${BASE}/publish`, { method: 'POST', headers, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    sent.delete(ref);
    throw new Error(`${answer.error ?? response.status}: ${answer.message ?? response.statusText}`);
  }
  return answer;
}

async function publishForm(times) {
  const { channel, event, text } = Object.fromEntries(new FormData($('publish')));
  connection.subscribe([channel]);
  try {
    const answers = await Promise.all(Array.from({ length: times }, (_, n) =>
      publish(channel, event, times > 1 ? `${text} (${n + 1} of ${times})` : text)));
    const id = answers.at(-1).id;
    showAnswer(`${times > 1 ? `${times} published` : 'Published'}${id ? `, id ${id}` : ''}`);
  } catch (error) {
    showAnswer(`Not published. ${error.message}`, true);
  }
}

async function showPeople() {
  if (document.hidden) return;
  try {
    const response = await fetch(`${BASE}/site/stats`, { headers: await signed('') });
    if (response.ok) $('people').textContent = (await response.json()).active_connections;
  } catch {
    $('people').textContent = '–'; // the state tells that the relay is away
  }
}

function problem(text) {
  $('problem').textContent = text;
  $('problem').hidden = false;
  $('state').dataset.state = 'failed';
  $('state').textContent = 'not possible here';
}

const connection = new Connection(BASE, mint, {
  state: showState,
  message: showMessage,
  gap: () => addRow(element('span', 'what note', 'Some messages are gone: the break was longer than the history.')),
});

$('address').textContent = BASE;
$('publish').addEventListener('submit', (event) => {
  event.preventDefault();
  publishForm(1);
});
$('burst').addEventListener('click', () => {
  if ($('publish').reportValidity()) publishForm(BURST);
});
$('drop').addEventListener('click', () => connection.drop());
$('connection').addEventListener('change', (event) => {
  connection.limitTo(event.target.value === 'sse' ? 'sse' : '');
});
$('clear').addEventListener('click', () => {
  $('log').replaceChildren();
  $('empty').hidden = false;
});

if (window.isSecureContext) {
  connection.subscribe(['events']);
  connection.open();
  setInterval(showPeople, PEOPLE_EVERY_MS);
} else {
  problem('This page signs with SubtleCrypto, which browsers only give to https and to loopback addresses. Open it as http://127.0.0.1 or http://localhost, for example through an SSH tunnel.');
}
