/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WordPress 7.0 hands its Yjs to nobody, so no provider of ours can work there. Its
 * own one asks the server again and again, by apiFetch, on a route that no 7.0 has:
 * here the page answers it, from what came over the socket.
 *
 * It resumes when the first room of its requests shows somebody else, and takes
 * what an answer holds for received. What is not taken is refused as a whole: it
 * then sends all it has, once, in the place of what was refused.
 */

import type { Middleware, Request } from '@wordpress/api-fetch';
import type { State } from './crowd.js';
import type { Update } from './mailbox.js';
import { NotTaken, PollingRoom } from './polling-room.js';
import type { Surroundings } from './provider.js';

const ROUTE = /^\/?wp-sync\/v1\/updates(?:[?/]|$)/;

/** How long a request waits for a connection before it is refused, ... */
const PATIENCE_MS = 10_000;
/** ... unless so much failed since there was one: the connection, and three tries. */
const FAILURES = 4;
/**
 * After so many refusals the editor shows a dialog, and asks only every 30 s:
 * what it asks then waits longer, to be answered as soon as there is a connection.
 */
const REFUSALS = 5;
const LONG_PATIENCE_MS = 300_000;

interface Asked {
  readonly room: string;
  readonly client_id: number;
  readonly after: number;
  /** Null says that the editor leaves. */
  readonly awareness: State | null;
  readonly updates: readonly Update[];
}

interface Answered {
  readonly room: string;
  readonly end_cursor: number;
  readonly awareness: { readonly [client: string]: State };
  readonly updates: readonly Update[];
  readonly should_compact: false;
}

/** What apiFetch rejects with, and the editor looks at. */
interface RestError {
  readonly code: string;
  readonly message: string;
  readonly data: { readonly status: number; readonly rooms?: readonly string[] };
}

function isAsked(value: Partial<Asked> | null): value is Asked {
  return (
    typeof value?.room === 'string' &&
    Number.isSafeInteger(value.client_id) &&
    Number.isSafeInteger(value.after) &&
    typeof value.awareness === 'object' &&
    Array.isArray(value.updates)
  );
}

/** The rooms of such a request; undefined for any other. */
function roomsOf({ path, data, body }: Request): readonly Asked[] | undefined {
  if (path === undefined || !ROUTE.test(path)) {
    return undefined;
  }
  try {
    const payload = (data ?? JSON.parse(String(body))) as { rooms?: unknown };
    const { rooms } = payload;
    return Array.isArray(rooms) && rooms.every(isAsked) ? rooms : undefined;
  } catch {
    return undefined;
  }
}

const refusal = (message: string, status: number, rooms?: readonly string[]): RestError => ({
  code: status === 403 ? 'rest_cannot_edit' : 'wordsocket_not_connected',
  message,
  data: rooms ? { status, rooms } : { status },
});

export class Polling {
  private readonly rooms = new Map<string, PollingRoom>();
  /** Those that are being left, by the name; the next one of that name waits. */
  private readonly leaving = new Map<string, Promise<void>>();
  /** In a row, for there was no connection. */
  private refusals = 0;
  /** What the link had counted when it could send. */
  private failures = 0;

  /** `isAlone` says which rooms are not shared, by the name. */
  constructor(
    private readonly around: Surroundings,
    private readonly isAlone: (room: string) => boolean,
  ) {
    around.link.onState(() => {
      if (around.link.state.canSend) {
        this.failures = around.link.state.failures;
      }
    });
  }

  /** For apiFetch. */
  readonly middleware: Middleware = async (request, next) => {
    const asked = roomsOf(request);
    if (!asked) {
      return next(request);
    }
    const answer = { rooms: await this.answer(asked) };
    return request.parse === false
      ? new Response(JSON.stringify(answer), {
          headers: { 'Content-Type': 'application/json' },
        })
      : answer;
  };

  /** For tests. */
  async idle(): Promise<void> {
    await Promise.all([...this.rooms.values()].map((room) => room.idle()));
  }

  private async answer(asked: readonly Asked[]): Promise<Answered[]> {
    for (const { room, client_id } of asked.filter(({ awareness }) => awareness === null)) {
      this.leave(room, client_id);
    }
    const staying = asked.filter(({ awareness }) => awareness !== null);
    const rooms = staying.map((one) => this.roomOf(one));
    try {
      await this.connected(rooms);
      this.refuse(rooms);
      await Promise.all(
        rooms.map((room, i) => room.send(staying[i]?.awareness ?? {}, staying[i]?.updates ?? [])),
      );
    } catch (error) {
      rooms.forEach((room) => room.failed());
      throw error instanceof NotTaken ? refusal('The relay did not take it.', 503) : error;
    }
    return rooms.map((room, i) => ({
      room: room.name,
      // Before the cursor is read, so that nothing comes between.
      updates: room.fetch(staying[i]?.after ?? 0),
      end_cursor: room.cursor,
      awareness: i === 0 ? this.peopleAt(room, rooms) : room.people,
      should_compact: false,
    }));
  }

  /** The room as this client knows it; a page that begins anew has a new ID. */
  private roomOf({ room, client_id }: Asked): PollingRoom {
    const known = this.rooms.get(room);
    if (known?.client === client_id) {
      return known;
    }
    if (known) {
      this.leave(room, known.client);
    }
    const made = new PollingRoom(this.around, room, client_id, this.isAlone(room), this.leaving.get(room));
    this.rooms.set(room, made);
    return made;
  }

  private leave(room: string, client: number): void {
    const known = this.rooms.get(room);
    if (known?.client === client) {
      this.rooms.delete(room);
      const gone = (this.leaving.get(room) ?? Promise.resolve())
        .then(() => known.leave())
        .finally(() => {
          if (this.leaving.get(room) === gone) {
            this.leaving.delete(room);
          }
        });
      this.leaving.set(room, gone);
    }
  }

  /** Rejects if there is no connection that can send, and none comes soon. */
  private async connected(rooms: readonly PollingRoom[]): Promise<void> {
    const { link, clock } = this.around;
    const isShown = this.refusals >= REFUSALS;
    const isReady = (): boolean => link.state.canSend || !rooms.some((room) => room.isShared);
    const isHopeless = (): boolean => !isShown && link.state.failures - this.failures >= FAILURES;
    if (!isReady() && !isHopeless()) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          offs.forEach((off) => off());
          resolve();
        };
        const look = (): void => {
          if (isReady() || isHopeless()) {
            end();
          }
        };
        const offs = [
          link.onState(look),
          // Rooms may be refused, and no connection is made then.
          ...rooms.map((room) => room.onChange(look)),
          clock.after(isShown ? LONG_PATIENCE_MS : PATIENCE_MS, end),
        ];
      });
    }
    if (!isReady()) {
      this.refusals += 1;
      throw refusal(link.state.error?.message ?? 'There is no connection.', 503);
    }
    this.refusals = 0;
  }

  /** The editor gives up a room that it is told of, and asks for the others again. */
  private refuse(rooms: readonly PollingRoom[]): void {
    const refused = rooms.find((room) => room.refusal);
    if (refused) {
      const why = refused.refusal === 'size' ? 'This is too large to edit together' : 'You may not edit this';
      this.leave(refused.name, refused.client);
      throw refusal(`${why}: ${refused.name}.`, 403, [refused.name]);
    }
  }

  /**
   * The people of the first room, by which the editor sees whether it is alone.
   * Where that is a list, in which nobody says so, those of another count.
   */
  private peopleAt(first: PollingRoom, rooms: readonly PollingRoom[]): Answered['awareness'] {
    const other = first.isList ? rooms.flatMap(({ others }) => others)[0] : undefined;
    return other === undefined ? first.people : { ...first.people, [other]: {} };
  }
}
