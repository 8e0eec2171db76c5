/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button, ToggleControl } from '@wordpress/components';
import { createElement, useEffect, useRef, useState } from '@wordpress/element';
import { __, _n, sprintf } from '@wordpress/i18n';
import type { State } from '../../../client/src/state.js';
import { api, messageOf } from '../api.js';
import { hold } from '../held.js';
import { TEST_PREFIX } from './log.js';
import { addSample, plot, type Sample, SPAN_MS, summaryOf } from './plot.js';

const BOX = { width: 640, height: 180, left: 56, right: 12, top: 12, bottom: 28 };
const EVERY_MS = 2000;
const PATIENCE_MS = 5000;

function wordsOf(state: State | undefined): string {
  if (!state) {
    return __('The client is not on this page.', 'wordsocket');
  }
  if (state.connected) {
    return {
      ws: __('Connected by WebSocket.', 'wordsocket'),
      sse: __('Connected by event stream.', 'wordsocket'),
      poll: __('Connected by polling.', 'wordsocket'),
    }[state.transport ?? 'ws'];
  }
  return state.retryInMs === undefined
    ? __('Not connected.', 'wordsocket')
    : sprintf(
        /* translators: %s: number of seconds. */
        __('Not connected; tries again within %s s.', 'wordsocket'),
        (state.retryInMs / 1000).toFixed(1),
      );
}

export function useClient(): State | undefined {
  const [state, setState] = useState<State | undefined>(window.WPS?.state);
  useEffect(() => {
    setState(window.WPS?.state);
    return window.WPS?.onStateChange(setState);
  }, []);
  return state;
}

/** An event from PHP to this page, on a channel nobody else knows. */
async function roundTrip(channel: string): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => done(new Error(__('It did not arrive within 5 s.', 'wordsocket'))),
      PATIENCE_MS,
    );
    const off = window.WPS?.onMessage((_event, _data, on) => {
      if (on === channel) {
        done();
      }
    });
    const done = (error?: unknown): void => {
      clearTimeout(late);
      off?.();
      if (error) {
        reject(error);
      } else {
        resolve(performance.now() - begun);
      }
    };
    api.publish(channel, 'wordsocket.test', {}).catch(done);
  });
}

function Plot({ samples }: { readonly samples: readonly Sample[] }): JSX.Element {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const { points, ticks } = plot(samples, Math.max(now, samples[samples.length - 1]?.at ?? 0), BOX);
  const summary = summaryOf(samples);
  const seconds = SPAN_MS / 1000;
  return (
    <figure className="wordsocket-plot">
      <svg
        viewBox={`0 0 ${BOX.width} ${BOX.height}`}
        role="img"
        aria-label={
          summary
            ? sprintf(
                /* translators: 1: number of measurements, 2, 3 and 4: milliseconds. */
                __('%1$d round trips: median %2$d ms, longest %3$d ms, last %4$d ms.', 'wordsocket'),
                summary.count,
                Math.round(summary.median),
                Math.round(summary.most),
                Math.round(summary.last),
              )
            : __('No round trip yet.', 'wordsocket')
        }
      >
        {ticks.map(({ y, ms }) => (
          <g key={ms}>
            <line x1={BOX.left} x2={BOX.width - BOX.right} y1={y} y2={y} className="wordsocket-plot-grid" />
            <text x={BOX.left - 6} y={y + 4} textAnchor="end">
              {sprintf(/* translators: %d: milliseconds. */ __('%d ms', 'wordsocket'), ms)}
            </text>
          </g>
        ))}
        {[seconds, seconds / 2, 0].map((ago) => (
          <text
            key={ago}
            x={BOX.left + (BOX.width - BOX.left - BOX.right) * (1 - ago / seconds)}
            y={BOX.height - 8}
            textAnchor={ago === 0 ? 'end' : ago === seconds ? 'start' : 'middle'}
          >
            {ago === 0
              ? __('now', 'wordsocket')
              : sprintf(/* translators: %d: seconds. */ __('%d s ago', 'wordsocket'), ago)}
          </text>
        ))}
        <polyline points={points.map(({ x, y }) => `${x},${y}`).join(' ')} className="wordsocket-plot-line" />
        {points.map(({ x, y, ms }, at) => (
          <circle key={at} cx={x} cy={y} r={3} className="wordsocket-plot-dot">
            <title>{`${Math.round(ms)} ms`}</title>
          </circle>
        ))}
      </svg>
      <figcaption>
        {summary
          ? sprintf(
              /* translators: 1: milliseconds, 2: milliseconds. */
              __('From the request to PHP until the event is here: last %1$d ms, median %2$d ms.', 'wordsocket'),
              Math.round(summary.last),
              Math.round(summary.median),
            )
          : __('From the request to PHP until the event is here. Measure once, or every two seconds.', 'wordsocket')}
      </figcaption>
    </figure>
  );
}

export function ConnectionPanel(): JSX.Element {
  const state = useClient();
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const [isRepeating, setRepeating] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const channel = useRef(
    `${TEST_PREFIX}${crypto.getRandomValues(new Uint32Array(4)).join('')}`,
  ).current;

  useEffect(() => {
    return hold([channel]);
  }, [channel]);

  async function measure(): Promise<void> {
    setBusy(true);
    try {
      const ms = await roundTrip(channel);
      setSamples((before) => addSample(before, { at: Date.now(), ms }));
      setError('');
    } catch (caught) {
      setError(messageOf(caught));
    }
    setBusy(false);
  }

  useEffect(() => {
    if (!isRepeating || isBusy) {
      return undefined;
    }
    const timer = setTimeout(() => void measure(), EVERY_MS);
    return () => clearTimeout(timer);
  }, [isRepeating, isBusy]);

  const status = window.WPS?.status;
  return (
    <section aria-labelledby="wordsocket-explorer-connection">
      <h2 id="wordsocket-explorer-connection">{__('Connection', 'wordsocket')}</h2>
      <p role="status" id="wordsocket-explorer-state">
        {wordsOf(state)}
        {state?.error ? ` ${state.error.message}` : ''}
        {state && state.failures > 0
          ? ` ${sprintf(
              /* translators: %d: number. */
              _n('%d failed try.', '%d failed tries.', state.failures, 'wordsocket'),
              state.failures,
            )}`
          : ''}
        {state?.connected && status && !status.canPublish
          ? ` ${__('It only receives.', 'wordsocket')}`
          : ''}
      </p>
      <Plot samples={samples} />
      {error ? <p className="wordsocket-problem" role="alert">{error}</p> : null}
      <div className="wordsocket-row wordsocket-row-centre">
        <Button
          variant="secondary"
          isBusy={isBusy}
          disabled={isBusy || !state?.connected}
          onClick={() => void measure()}
        >
          {__('Measure', 'wordsocket')}
        </Button>
        <ToggleControl
          __nextHasNoMarginBottom
          label={__('Every two seconds', 'wordsocket')}
          checked={isRepeating}
          onChange={setRepeating}
        />
      </div>
    </section>
  );
}
