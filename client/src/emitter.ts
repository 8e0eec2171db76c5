/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners by name, typed by a map from name to argument list.
 *
 * Promise   Listeners run in the order they came, each once per emit; one that
 *           throws is reported and the rest still run. Removing while emitting
 *           takes effect at once, adding at the next emit.
 */

/** Any listener, while it waits among those of its name. */
type Callback = (...args: readonly unknown[]) => void;

/** Takes the listener away again; calling it twice does no harm. */
export type Unsubscribe = () => void;

export class Emitter<Events extends Record<string, readonly unknown[]>> {
  private readonly listeners = new Map<
    keyof Events,
    Set<{ readonly call: Callback }>
  >();

  constructor(private readonly report: (error: unknown) => void) {}

  on<Name extends keyof Events>(
    name: Name,
    listener: (...args: Events[Name]) => void,
  ): Unsubscribe {
    const entry = { call: listener as unknown as Callback };
    const entries = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, entries.add(entry));
    return () => {
      entries.delete(entry);
      if (entries.size === 0 && this.listeners.get(name) === entries) {
        this.listeners.delete(name);
      }
    };
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    const entries = this.listeners.get(name);
    for (const entry of entries ? [...entries] : []) {
      if (!entries?.has(entry)) {
        continue;
      }
      try {
        entry.call(...args);
      } catch (error) {
        this.report(error);
      }
    }
  }
}
