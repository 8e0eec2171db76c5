/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One channel of a relay: in order, to all others that are connected. */

interface Seat {
  connected: boolean;
  readonly take: (bytes: Uint8Array) => void;
  readonly queue: Uint8Array[];
}

export class Hub {
  private readonly seats: Seat[] = [];
  readonly log: { from: number; bytes: Uint8Array }[] = [];
  /** So many of the next frames reach nobody. */
  lose = 0;

  join(take: (bytes: Uint8Array) => void): {
    up(): void;
    down(): void;
    send(bytes: Uint8Array): boolean;
  } {
    const seat: Seat = { connected: false, take, queue: [] };
    const from = this.seats.push(seat) - 1;
    return {
      up: () => {
        seat.connected = true;
        seat.queue.length = 0;
      },
      down: () => {
        seat.connected = false;
        seat.queue.length = 0;
      },
      send: (bytes) => {
        if (!seat.connected) {
          return false;
        }
        this.log.push({ from, bytes });
        if (this.lose > 0) {
          this.lose -= 1;
          return true;
        }
        for (const other of this.seats) {
          if (other !== seat && other.connected) {
            other.queue.push(bytes);
          }
        }
        return true;
      },
    };
  }

  async deliver(): Promise<void> {
    for (const seat of this.seats) {
      for (const bytes of seat.queue.splice(0)) {
        seat.take(bytes);
      }
    }
    await Promise.resolve();
  }
}
