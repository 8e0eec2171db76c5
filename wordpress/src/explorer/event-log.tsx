/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button, TextControl } from '@wordpress/components';
import { createElement, useEffect, useReducer, useRef, useState } from '@wordpress/element';
import { __, _n, sprintf } from '@wordpress/i18n';
import { api, messageOf } from '../api.js';
import { pageData } from '../data.js';
import { hold } from '../held.js';
import {
  channelsOf,
  EMPTY,
  type Entry,
  type Filter,
  matches,
  NO_FILTER,
  reduce,
  TEST_PREFIX,
} from './log.js';
import { listenRaw } from './raw.js';

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
} as Intl.DateTimeFormatOptions);

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Line({ entry }: { readonly entry: Entry }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <tr data-kind={entry.kind}>
      <td>
        <time dateTime={new Date(entry.at).toISOString()}>{TIME.format(entry.at)}</time>
      </td>
      <td>{entry.channel}</td>
      <td>{entry.event}</td>
      <td>
        <details
          onToggle={({ currentTarget }) => setOpen((currentTarget as HTMLDetailsElement).open)}
        >
          <summary>
            <code>{entry.text.slice(0, 100)}</code>
          </summary>
          {isOpen ? <pre>{pretty(entry.text)}</pre> : null}
        </details>
      </td>
      <td className="wordsocket-number">{entry.text.length}</td>
    </tr>
  );
}

function useEvents(add: (entry: Omit<Entry, 'number'>) => void): void {
  useEffect(() => {
    const offs = [
      window.WPS?.onMessage((event, data, channel) => {
        if (!channel.startsWith(TEST_PREFIX)) {
          add({ kind: 'event', at: Date.now(), channel, event, text: JSON.stringify(data) ?? '' });
        }
      }),
      window.WPS?.onGap((gap) =>
        add({
          kind: 'gap',
          at: Date.now(),
          channel: '',
          event: __('gap: events are missing here', 'wordsocket'),
          text: JSON.stringify(gap),
        }),
      ),
    ];
    return () => offs.forEach((off) => off?.());
  }, []);
}

function Channels({ onRaw }: {
  readonly onRaw: (text: string) => void;
}): JSX.Element {
  const [typed, setTyped] = useState('events');
  const [close, setClose] = useState<(() => void) | null>(null);
  const [isOpening, setOpening] = useState(false);
  const [said, setSaid] = useState('');
  const isHere = useRef(true);
  const held = useRef<(() => void)[]>([]);

  useEffect(() => () => close?.(), [close]);
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
      held.current.splice(0).forEach((release) => release());
    };
  }, []);

  async function listen(): Promise<void> {
    setSaid('');
    setOpening(true);
    try {
      const { token } = await api.token();
      if (!isHere.current) {
        return;
      }
      const stop = listenRaw(
        `${pageData.settings.base_url.replace(/^http/i, 'ws')}/ws`,
        token,
        channelsOf(typed),
        {
          frame: onRaw,
          ended: (code, reason) => {
            setClose(null);
            setSaid(
              sprintf(
                /* translators: 1: a number, 2: what the relay said. */
                __('The relay closed it: %1$d %2$s', 'wordsocket'),
                code,
                reason,
              ),
            );
          },
        },
      );
      setClose(() => stop);
    } catch (caught) {
      setSaid(messageOf(caught));
    }
    setOpening(false);
  }

  function subscribe(): void {
    held.current.push(hold(channelsOf(typed)));
    setSaid(__('The log shows these as well now.', 'wordsocket'));
  }

  return (
    <div className="wordsocket-row">
      <TextControl
        __nextHasNoMarginBottom
        label={__('More channels', 'wordsocket')}
        help={__('Separated by commas. This page hears events already; triggers may send to others.', 'wordsocket')}
        value={typed}
        onChange={setTyped}
      />
      <Button variant="secondary" onClick={subscribe} disabled={channelsOf(typed).length === 0}>
        {__('Show them', 'wordsocket')}
      </Button>
      <Button
        variant="secondary"
        isPressed={close !== null}
        disabled={isOpening || (!close && channelsOf(typed).length === 0)}
        onClick={() => {
          if (close) {
            close();
            setClose(null);
          } else {
            void listen();
          }
        }}
      >
        {close ? __('Hide raw frames', 'wordsocket') : __('Show raw frames', 'wordsocket')}
      </Button>
      <span role="status">{said}</span>
    </div>
  );
}

export function EventLog(): JSX.Element {
  const [log, dispatch] = useReducer(reduce, EMPTY);
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  useEvents((entry) => dispatch({ type: 'add', entry }));

  const shown = log.entries.filter((entry) => matches(entry, filter));
  const field = (name: keyof Filter, label: string): JSX.Element => (
    <TextControl
      __nextHasNoMarginBottom
      label={label}
      value={filter[name]}
      onChange={(value) => setFilter({ ...filter, [name]: value })}
    />
  );
  return (
    <section aria-labelledby="wordsocket-explorer-log">
      <h2 id="wordsocket-explorer-log">{__('Events', 'wordsocket')}</h2>
      <p>
        {__('What this page receives, decrypted by this browser. Raw frames are what the relay sees.', 'wordsocket')}
      </p>
      <Channels
        onRaw={(text) =>
          dispatch({
            type: 'add',
            entry: { kind: 'frame', at: Date.now(), channel: '', event: __('frame', 'wordsocket'), text },
          })
        }
      />
      <div className="wordsocket-row" role="group" aria-label={__('Filter', 'wordsocket')}>
        {field('channel', __('Channel', 'wordsocket'))}
        {field('event', __('Event', 'wordsocket'))}
        {field('text', __('Anything', 'wordsocket'))}
      </div>
      <div className="wordsocket-row wordsocket-row-centre">
        <Button
          variant="secondary"
          onClick={() => dispatch({ type: log.isPaused ? 'resume' : 'pause' })}
        >
          {log.isPaused ? __('Go on', 'wordsocket') : __('Pause', 'wordsocket')}
        </Button>
        <Button variant="secondary" onClick={() => dispatch({ type: 'clear' })}>
          {__('Clear', 'wordsocket')}
        </Button>
        <span role="status" id="wordsocket-explorer-count">
          {log.isPaused
            ? sprintf(
                /* translators: %d: number of events. */
                _n('Paused; %d event is waiting.', 'Paused; %d events are waiting.', log.waiting.length, 'wordsocket'),
                log.waiting.length,
              )
            : sprintf(
                /* translators: 1: number of events shown, 2: number of events. */
                __('%1$d of %2$d shown.', 'wordsocket'),
                shown.length,
                log.entries.length,
              )}
          {log.dropped > 0
            ? ` ${sprintf(
                /* translators: %d: number of events. */
                _n('%d older one was dropped.', '%d older ones were dropped.', log.dropped, 'wordsocket'),
                log.dropped,
              )}`
            : ''}
        </span>
      </div>
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="wordsocket-log" tabIndex={0} role="region" aria-labelledby="wordsocket-explorer-log">
        <table className="widefat striped">
          <thead>
            <tr>
              <th scope="col">{__('Time', 'wordsocket')}</th>
              <th scope="col">{__('Channel', 'wordsocket')}</th>
              <th scope="col">{__('Event', 'wordsocket')}</th>
              <th scope="col">{__('Data', 'wordsocket')}</th>
              <th scope="col" className="wordsocket-number">{__('Characters', 'wordsocket')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <Line key={entry.number} entry={entry} />
            ))}
            {shown.length === 0 ? (
              <tr>
                <td colSpan={5}>
                  {log.entries.length > 0
                    ? __('Nothing matches the filter.', 'wordsocket')
                    : __('Nothing yet. Save a published post, or publish an event below.', 'wordsocket')}
                </td>
              </tr>
            ) : null}
          </tbody>
        </table>
      </div>
    </section>
  );
}
