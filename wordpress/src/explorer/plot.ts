/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scales of the latency plot. Pure. */

export interface Sample {
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly ms: number;
}

export const MOST_SAMPLES = 120;
export const SPAN_MS = 120_000;

export function addSample(
  samples: readonly Sample[],
  sample: Sample,
): readonly Sample[] {
  return [...samples, sample].slice(-MOST_SAMPLES);
}

export interface Box {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Plotted {
  readonly points: readonly { x: number; y: number; ms: number }[];
  readonly ticks: readonly { y: number; ms: number }[];
  readonly most: number;
}

/** 10, 20, 50, 100 .. at least `value`. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(10, value)));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

/** The last two minutes before `now`, from left to right. */
export function plot(
  samples: readonly Sample[],
  now: number,
  box: Box,
): Plotted {
  const shown = samples.filter(({ at }) => now - at <= SPAN_MS && at <= now);
  const most = roundUp(Math.max(0, ...shown.map(({ ms }) => ms)));
  const wide = box.width - box.left - box.right;
  const high = box.height - box.top - box.bottom;
  const y = (ms: number): number => box.top + high * (1 - ms / most);
  return {
    most,
    points: shown.map(({ at, ms }) => ({
      x: box.left + wide * (1 - (now - at) / SPAN_MS),
      y: y(ms),
      ms,
    })),
    ticks: [0, most / 2, most].map((ms) => ({ y: y(ms), ms })),
  };
}

export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly most: number;
  readonly last: number;
}

export function summaryOf(samples: readonly Sample[]): Summary | undefined {
  const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b);
  const last = samples[samples.length - 1];
  return last
    ? {
        count: sorted.length,
        median: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0,
        most: sorted[sorted.length - 1] ?? 0,
        last: last.ms,
      }
    : undefined;
}
