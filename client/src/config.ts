/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every time and every bound of the client, each with its reason. Times carry
 * their unit in the name; nothing else in src/ spells a number of this kind.
 */

/** When things happen. */
export const TIMING = {
  /** The first failure waits up to this long, each further one twice as long. */
  backoffFirstCeilingMs: 1_000,
  /** A relay that is down for an hour is asked about once in half a minute. */
  backoffLastCeilingMs: 60_000,
  /** A connection that lasted this long was not a failure in disguise. */
  stableAfterMs: 3_000,

  /** The relay pings every 20 s; two pings and a little are missing. */
  silenceMs: 45_000,
  /** How often silence is looked for. */
  silenceCheckMs: 10_000,

  /** A connection that is neither open nor refused by now counts as refused. */
  openDeadlineMs: 10_000,
  /** The same for one HTTP exchange: minting, sending, polling. */
  requestDeadlineMs: 10_000,
  /** An open stream without a byte by now is doubted. */
  firstByteMs: 10_000,
  /** How long a confirmed publish waits for its acknowledgement. */
  ackDeadlineMs: 10_000,

  /** Lead over the end of a token's life, however short that life is. */
  refreshAheadMs: 10_000,
  /** How old a token may be that a cache answers. */
  sharedTokenAgeMs: 60_000,
  /** After a refusal, visitors who ask within the same one share a token. */
  cacheSlotMs: 10_000,
  /** Never sooner, so that a token with a nonsensical life makes no loop. */
  refreshFloorMs: 1_000,
  /** What a token is trusted for when it does not say how long it lives. */
  unknownLifeMs: 300_000,
  /** The relay's own limit; timers of a browser overflow after 24 days. */
  longestLifeMs: 86_400_000,

  /** A shared worker that has not answered by now is done without. */
  workerDeadlineMs: 1_000,
  /** The worker shows each tab this often that it is there. */
  tabPingMs: 20_000,
  /** A worker that says nothing, asked whether it is there, is not. */
  workerPatienceMs: 5_000,
  /** A tab that shows no lock and answers nothing for this long is gone. */
  tabPatienceMs: 60_000,
  /** How long the catching up of a tab waits for the relay's `subscribed`. */
  subscribedDeadlineMs: 2_000,

  /** Several channels subscribed in one go cost an event stream one restart. */
  channelChangeMs: 50,
  /** An ended stream reopens after this unless its `retry:` said otherwise. */
  streamRetryMs: 3_000,
  /** The gap between two polls unless the relay says otherwise. */
  pollEveryMs: 5_000,
  /** A relay's own delays are believed between these two. */
  relayDelayMinMs: 100,
  relayDelayMaxMs: 300_000,
} as const;

/** Share of a token's life after which a new one is asked for. */
export const REFRESH_AT_LIFE_SHARE = 0.8;

/** Reopenings of an ended stream that may fail before it is called lost. */
export const STREAM_MISSES_ALLOWED = 2;

/** Sockets that may open and die without a word before one is distrusted. */
export const MUTE_SOCKETS_ALLOWED = 2;

/** How much is kept, queued or accepted. */
export const LIMIT = {
  /** Channels held by one page; the relay's own limit is usually lower. */
  channels: 1_000,
  channelBytes: 200,
  /** Held presences are sent again on every connect. */
  presences: 100,
  /** The relay's largest frame; larger ones would only close the socket. */
  frameBytes: 2 * 1024 * 1024,
  /** Past this the network is too slow, and the publisher should know. */
  socketBufferBytes: 4 * 1024 * 1024,
  /** Requests to `/send` waiting for their turn. */
  outboxEntries: 64,
  outboxBytes: 4 * 1024 * 1024,
  /** Confirmed publishes without an answer. */
  pendingAcks: 100,
  /** Messages waiting for their decryption. */
  inboxEntries: 1_000,
  inboxBytes: 16 * 1024 * 1024,
  /** One event of a stream: a full frame in base64 and some air. */
  streamEventChars: 4 * 1024 * 1024,
  /** One answer of the poll. */
  pollAnswerBytes: 16 * 1024 * 1024,
  /** What a tab that is asleep may be behind before it has to resume. */
  tabMessages: 1_000,
  tabBytes: 4 * 1024 * 1024,
  /** After so many without a sign of life a tab is asked for one. */
  tabProbeEvery: 64,
  /** Answers of the poll one catching up may take. */
  catchUpAnswers: 16,
  /** Lines the debug log remembers. */
  debugLines: 200,
} as const;
