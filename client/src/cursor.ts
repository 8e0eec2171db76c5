/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this page is in the site's log of messages: what to dispatch, and from
 * where to resume.
 *
 * Promise   Within an epoch no id is accepted twice and none after a higher
 *           one. `since` never runs ahead of what was received: an id that
 *           opens a subscription is the relay's head *before* the replay, so
 *           it counts only once something later shows the replay is over.
 * Not here  Whether anything was missed; the relay says so with a gap.
 */

export interface MessageId {
  /** Names one incarnation of the log; ids of two epochs have no order. */
  readonly epoch: string;
  /** Decimal, without leading zeros. May exceed what a number holds. */
  readonly sequence: string;
}

const ID = /^([0-9a-f]{12})-(0|[1-9][0-9]{0,19})$/;

/** Undefined for anything that is not `<12 hex digits>-<decimal>`. */
export function parseMessageId(text: unknown): MessageId | undefined {
  const match = typeof text === 'string' ? ID.exec(text) : null;
  const epoch = match?.[1];
  const sequence = match?.[2];
  return epoch !== undefined && sequence !== undefined
    ? { epoch, sequence }
    : undefined;
}

function spell(id: MessageId): string {
  return `${id.epoch}-${id.sequence}`;
}

/** Whether `id` comes after `other`, or belongs to another log altogether. */
function isNews(id: MessageId, other: MessageId | undefined): boolean {
  if (!other || id.epoch !== other.epoch) {
    return true;
  }
  const digits = id.sequence.length - other.sequence.length;
  return digits !== 0 ? digits > 0 : id.sequence > other.sequence;
}

export class Cursor {
  private delivered: MessageId | undefined;
  private reached: MessageId | undefined;
  private head: MessageId | undefined;

  /** The id to resume after, as the relay spells it. */
  get since(): string | undefined {
    return this.reached && spell(this.reached);
  }

  /** A message arrived. False if it was seen before and must not be shown. */
  accept(text: string | undefined): boolean {
    const id = parseMessageId(text);
    if (!id) {
      return true;
    }
    if (!isNews(id, this.delivered)) {
      return false;
    }
    this.delivered = id;
    this.advance(id);
    return true;
  }

  /** Listening began here; counts only where there is no position yet. */
  startAt(text: string | undefined): void {
    this.reached ??= parseMessageId(text);
  }

  /** The first id of a stream; see `settleHead`. */
  atHead(text: string | undefined): void {
    this.startAt(text);
    this.head = parseMessageId(text);
  }

  /** Everything up to this id has been sent: a ping, a poll's cursor. */
  settle(text: string | undefined): void {
    const id = parseMessageId(text);
    if (id) {
      this.advance(id);
    }
  }

  /** The stream ended as planned: what it opened with has been sent. */
  settleHead(): void {
    if (this.head) {
      this.advance(this.head);
    }
    this.head = undefined;
  }

  private advance(id: MessageId): void {
    if (isNews(id, this.reached)) {
      this.reached = id;
    }
  }
}
