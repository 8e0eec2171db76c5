/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What peers of a room say to each other: one byte of type, then its data. Types
 * 1 to 4 are the ecosystem's; 5 to 9 are ours, and others leave them alone.
 */

export const FRAME = {
  /** A state vector: send me what I lack. */
  step1: 1,
  /** An update that answers one. */
  step2: 2,
  /** An update as it is made. */
  update: 3,
  /** An awareness update of y-protocols. */
  awareness: 4,
  /** A part of one of the others that is too large for the wire. */
  piece: 5,
  /** An awareness update with a badge, and signed. See badge.ts. */
  signed: 6,
  /** So many bytes of something that comes in pieces are here. See bulk.ts. */
  have: 7,
  /** Updates in Yjs's second encoding, as WordPress 7.0 makes them. See polling-room.ts. */
  updates2: 8,
  /** Something may be lost, nobody knows what: all that you have. */
  lost: 9,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: FrameType;
  readonly data: Uint8Array;
}

const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

export function encodeFrame(type: FrameType, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + data.length);
  bytes[0] = type;
  bytes.set(data, 1);
  return bytes;
}

/** Undefined for what is no frame we know. Shares the memory of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const type = bytes[0];
  return type !== undefined && TYPES.has(type)
    ? { type: type as FrameType, data: bytes.subarray(1) }
    : undefined;
}
