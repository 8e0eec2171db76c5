/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button, Notice, TextareaControl, TextControl } from '@wordpress/components';
import { createElement, type FormEvent, useEffect, useRef, useState } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import { api, messageOf } from '../api.js';
import { hold } from '../held.js';
import { canonical, parseData } from './log.js';

const PATIENCE_MS = 5000;

interface Said {
  readonly status: 'success' | 'warning' | 'error';
  readonly text: string;
}

/** When an event with just this content is here; rejects after five seconds. */
function arrival(channel: string, event: string, data: object): {
  readonly here: Promise<void>;
  stop(): void;
} {
  let stop: () => void = () => undefined;
  const here = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('late')), PATIENCE_MS);
    const off = window.WPS?.onMessage((name, got, on) => {
      if (on === channel && name === event && canonical(got) === canonical(data)) {
        resolve();
        stop();
      }
    });
    stop = () => {
      clearTimeout(late);
      off?.();
    };
  });
  // Nobody waits for it where publishing itself failed.
  here.catch(() => undefined);
  return { here, stop: () => stop() };
}

export function PublishForm(): JSX.Element {
  const [channel, setChannel] = useState('events');
  const [event, setEvent] = useState('demo.hello');
  const [typed, setTyped] = useState('{\n  "text": "Hello"\n}');
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState<Said | null>(null);
  const isHere = useRef(true);
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);

  const parsed = parseData(typed);
  const problem =
    'problem' in parsed
      ? parsed.problem === 'syntax'
        ? sprintf(
            /* translators: %s: what the browser says. */
            __('This is not JSON yet: %s', 'wordsocket'),
            parsed.detail,
          )
        : __('Data is an object: { "name": "value" }.', 'wordsocket')
      : '';

  async function publish(): Promise<void> {
    if (!('data' in parsed)) {
      return;
    }
    const { data } = parsed;
    setBusy(true);
    setSaid(null);
    const release = hold([channel]);
    const waiting = arrival(channel, event, data);
    const begun = performance.now();
    let result: Said;
    try {
      await api.publish(channel, event, data);
      const taken = performance.now() - begun;
      result = await waiting.here.then(
        (): Said => ({
          status: 'success',
          text: sprintf(
            /* translators: %d: milliseconds. */
            __('Published, and here after %d ms.', 'wordsocket'),
            Math.round(performance.now() - begun),
          ),
        }),
        (): Said => ({
          status: 'warning',
          text: sprintf(
            /* translators: %d: milliseconds. */
            __('The relay took it after %d ms, but it did not come back to this page within five seconds. Is it connected, and may it read this channel?', 'wordsocket'),
            Math.round(taken),
          ),
        }),
      );
    } catch (caught) {
      result = { status: 'error', text: messageOf(caught) };
    }
    waiting.stop();
    release();
    if (isHere.current) {
      setBusy(false);
      setSaid(result);
    }
  }

  return (
    <section aria-labelledby="wordsocket-explorer-publish">
      <h2 id="wordsocket-explorer-publish">{__('Publish', 'wordsocket')}</h2>
      <form
        onSubmit={(submitted: FormEvent) => {
          submitted.preventDefault();
          void publish();
        }}
      >
        <div className="wordsocket-row">
          <TextControl
            __nextHasNoMarginBottom
            label={__('To channel', 'wordsocket')}
            value={channel}
            required
            maxLength={200}
            onChange={setChannel}
          />
          <TextControl
            __nextHasNoMarginBottom
            label={__('Name of the event', 'wordsocket')}
            value={event}
            required
            maxLength={200}
            onChange={setEvent}
          />
        </div>
        <TextareaControl
          __nextHasNoMarginBottom
          label={__('Data, as JSON', 'wordsocket')}
          help={problem || __('Pages get it as the detail of the event.', 'wordsocket')}
          value={typed}
          rows={5}
          onChange={setTyped}
          aria-invalid={problem !== ''}
        />
        <p>
          <Button
            variant="primary"
            type="submit"
            isBusy={isBusy}
            disabled={isBusy || problem !== '' || channel.trim() === '' || event.trim() === ''}
          >
            {__('Publish', 'wordsocket')}
          </Button>
        </p>
      </form>
      {said ? (
        <Notice status={said.status} isDismissible={false}>
          {said.text}
        </Notice>
      ) : null}
    </section>
  );
}
