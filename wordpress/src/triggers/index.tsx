/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button, Notice, Spinner } from '@wordpress/components';
import { speak } from '@wordpress/a11y';
import { createElement, Fragment, useEffect, useRef, useState } from '@wordpress/element';
import { __, _n, sprintf } from '@wordpress/i18n';
import { messageOf } from '../api.js';
import { hold } from '../held.js';
import {
  type Errors,
  errorsOf,
  isUnfinished,
  newRow,
  type Offer,
  replaced,
  stillWrong,
  type Row,
  triggersApi,
} from './rows.js';
import { TriggerCard } from './trigger.js';

interface Said {
  readonly status: 'success' | 'error' | 'info';
  readonly text: string;
}

const NO_ERRORS: Errors = new Map();

/** Leaving with something unsaved asks first. */
function useLeaveWarning(isDirty: boolean): void {
  useEffect(() => {
    if (!isDirty) {
      return undefined;
    }
    const ask = (event: BeforeUnloadEvent): void => {
      event.preventDefault();
      event.returnValue = '';
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [isDirty]);
}

const nameOf = ({ channel, event }: Pick<Row, 'channel' | 'event'>): string =>
  JSON.stringify([channel, event]);

/** What came last of each saved trigger, by nameOf(). */
function useSeen(saved: string): ReadonlyMap<string, string> {
  const [seen, setSeen] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    const rows = JSON.parse(saved) as Row[];
    const names = new Set(rows.map(nameOf));
    const release = hold(rows.map(({ channel }) => channel));
    const off = window.WPS?.onMessage((event, data, channel) => {
      const name = nameOf({ channel, event });
      if (names.has(name)) {
        setSeen((before) => new Map(before).set(name, JSON.stringify(data) ?? ''));
      }
    });
    return () => {
      off?.();
      release();
    };
  }, [saved]);
  return seen;
}

let lastKey = 0;
interface Keyed {
  /** Stays with a row when others go. */
  readonly key: number;
  readonly row: Row;
  /** As the site has it; null until it is saved. */
  readonly saved: Row | null;
}
const keyed = (row: Row, saved: Row | null): Keyed => ({ key: ++lastKey, row, saved });
const isSame = (one: Row, other: Row | null): boolean => JSON.stringify(one) === JSON.stringify(other);

export function Triggers(): JSX.Element {
  const [offer, setOffer] = useState<Offer | null>(null);
  const [rows, setRows] = useState<readonly Keyed[]>([]);
  const [saved, setSaved] = useState('[]');
  const [errors, setErrors] = useState<Errors>(NO_ERRORS);
  const [said, setSaid] = useState<Said | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [deleted, setDeleted] = useState<{ at: number; row: Keyed } | null>(null);
  const [refusals, setRefusals] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const isDirty = JSON.stringify(rows.map(({ row }) => row)) !== saved;
  useLeaveWarning(isDirty);
  const seen = useSeen(saved);

  function take(next: Offer): void {
    setOffer(next);
    setRows(next.triggers.map((row) => keyed(row, row)));
    setSaved(JSON.stringify(next.triggers));
    setErrors(NO_ERRORS);
    setDeleted(null);
  }

  useEffect(() => {
    triggersApi.load().then(take, (caught: unknown) =>
      setSaid({ status: 'error', text: messageOf(caught) }),
    );
  }, []);

  // Where one has to type again.
  useEffect(() => {
    if (refusals > 0) {
      list.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-wrong]')?.focus();
    }
  }, [refusals]);

  function add(row: Row): void {
    setRows([...rows, keyed(row, null)]);
    speak(__('A trigger was added at the end.', 'wordsocket'));
    // Where one goes on typing.
    setTimeout(() =>
      list.current?.querySelector<HTMLElement>('[data-row]:last-of-type input, [data-row]:last-of-type select')?.focus(),
    );
  }

  async function save(): Promise<void> {
    setBusy(true);
    setSaid(null);
    try {
      const answer = await triggersApi.save(rows.map(({ row }) => row));
      take(answer);
      setSaid({ status: 'success', text: answer.message });
    } catch (caught) {
      const found = errorsOf(caught);
      const others = found.size - 1;
      setErrors(found);
      setRefusals(refusals + 1);
      setSaid({
        status: 'error',
        text:
          others > 0
            ? sprintf(
                /* translators: 1: what is wrong, 2: number. */
                _n('%1$s %2$d more field is wrong.', '%1$s %2$d more fields are wrong.', others, 'wordsocket'),
                messageOf(caught),
                others,
              )
            : messageOf(caught),
      });
    }
    setBusy(false);
  }

  if (!offer) {
    return said ? (
      <Notice status="error" isDismissible={false}>
        {said.text}
      </Notice>
    ) : (
      <Spinner />
    );
  }
  const unfinished = rows.filter(({ row }) => isUnfinished(row)).length;
  const isFull = rows.length >= offer.limits.triggers;
  return (
    <>
      <p>
        {__('A trigger turns something that happens in WordPress into an event on every open page. Posts, comments, the site title and the tagline make events already. One of yours for a post type or an option takes the place of those.', 'wordsocket')}
      </p>
      <div ref={list}>
        {rows.map(({ key, row, saved: before }, at) => (
          <TriggerCard
            key={key}
            offer={offer}
            row={row}
            at={at}
            errors={errors}
            isSaved={isSame(row, before)}
            seen={before ? seen.get(nameOf(before)) : undefined}
            onChange={(next) => {
              setRows(replaced(rows, at, { key, row: next, saved: before }));
              setErrors(stillWrong(errors, at, row, next));
              setSaid(null);
            }}
            onCopy={() => add(row)}
            onDelete={() => {
              setRows(rows.filter((item) => item.key !== key));
              setDeleted({ at, row: { key, row, saved: before } });
              setErrors(NO_ERRORS);
              speak(__('The trigger was deleted; it can be brought back.', 'wordsocket'));
            }}
          />
        ))}
        {rows.length === 0 ? <p>{__('There is none yet.', 'wordsocket')}</p> : null}
      </div>
      {deleted ? (
        <Notice
          status="info"
          onRemove={() => setDeleted(null)}
          actions={[
            {
              label: __('Bring it back', 'wordsocket'),
              onClick: () => {
                setRows([...rows.slice(0, deleted.at), deleted.row, ...rows.slice(deleted.at)]);
                setDeleted(null);
                // They were told by the number of a row.
                setErrors(NO_ERRORS);
              },
            },
          ]}
        >
          {sprintf(
            /* translators: %s: name of an event. */
            __('The trigger %s is gone when you save.', 'wordsocket'),
            deleted.row.row.event,
          )}
        </Notice>
      ) : null}
      <p className="wordsocket-row" role="group" aria-label={__('Add a trigger', 'wordsocket')}>
        <Button variant="secondary" disabled={isFull} onClick={() => add(newRow('post_type'))}>
          {__('Add for a post type', 'wordsocket')}
        </Button>
        <Button variant="secondary" disabled={isFull} onClick={() => add(newRow('option'))}>
          {__('Add for an option', 'wordsocket')}
        </Button>
        <Button variant="secondary" disabled={isFull} onClick={() => add(newRow('hook'))}>
          {__('Add for any hook', 'wordsocket')}
        </Button>
      </p>
      {said ? (
        <Notice status={said.status} isDismissible={false}>
          {said.text}
        </Notice>
      ) : null}
      <p className="wordsocket-row">
        <Button variant="primary" isBusy={isBusy} disabled={isBusy || !isDirty || unfinished > 0} onClick={() => void save()}>
          {__('Save triggers', 'wordsocket')}
        </Button>
        <span role="status">
          {unfinished > 0
            ? __('Each trigger needs what it waits for and a name.', 'wordsocket')
            : isDirty
              ? __('There are changes to save.', 'wordsocket')
              : ''}
        </span>
      </p>
    </>
  );
}
