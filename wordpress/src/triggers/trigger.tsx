/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button, SelectControl, TextControl } from '@wordpress/components';
import { createElement, Fragment, useId, useState } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import { Conditions, DataFields, fieldAt, Problem } from './fields.js';
import { aimed, type Errors, type HookRow, type Offer, type Row, type SimpleRow, suggestion } from './rows.js';

interface Props {
  readonly offer: Offer;
  readonly row: Row;
  readonly at: number;
  readonly errors: Errors;
  /** Whether it works as it stands here. */
  readonly isSaved: boolean;
  /** Data of its last event, as JSON. */
  readonly seen: string | undefined;
  readonly onChange: (row: Row) => void;
  readonly onCopy: () => void;
  readonly onDelete: () => void;
}

function titleOf(row: Row, at: number): string {
  return row.event === ''
    ? sprintf(/* translators: %d: number. */ __('Trigger %d', 'wordsocket'), at + 1)
    : sprintf(/* translators: 1: number, 2: name of an event. */ __('Trigger %1$d: %2$s', 'wordsocket'), at + 1, row.event);
}

/** The last time that this trigger's event came to this page. */
function LastSeen({ seen, isSaved }: { readonly seen: string | undefined; readonly isSaved: boolean }): JSX.Element {
  return (
    <p className="wordsocket-seen" role="status">
      {seen
        ? sprintf(/* translators: %s: data of an event. */ __('It just came: %s', 'wordsocket'), seen.slice(0, 300))
        : isSaved
          ? __('It is saved and can be tried: do what it waits for, in another tab, and its event shows here.', 'wordsocket')
          : ''}
    </p>
  );
}

function HookFields({ row, offer, errors, path, onChange }: {
  readonly row: HookRow;
  readonly offer: Offer;
  readonly errors: Errors;
  readonly path: string;
  readonly onChange: (row: Row) => void;
}): JSX.Element {
  const part = { offer, row, errors, path, onChange };
  return (
    <>
      <div className="wordsocket-row">
        <TextControl
          __nextHasNoMarginBottom
          {...fieldAt(
            errors,
            `${path}.hook`,
            __('Action hook', 'wordsocket'),
            __('Such as user_register. Its documentation says which arguments it passes.', 'wordsocket'),
          )}
          value={row.hook}
          maxLength={offer.limits.text}
          onChange={(hook) => onChange(aimed(row, hook))}
        />
        <TextControl
          __nextHasNoMarginBottom
          type="number"
          {...fieldAt(errors, `${path}.priority`, __('Priority', 'wordsocket'))}
          value={row.priority}
          onChange={(priority) => onChange({ ...row, priority: Number(priority) || 0 })}
        />
        <TextControl
          __nextHasNoMarginBottom
          type="number"
          min={1}
          max={offer.limits.args}
          {...fieldAt(errors, `${path}.args`, __('Arguments', 'wordsocket'))}
          value={row.args}
          onChange={(args) =>
            onChange({ ...row, args: Math.min(offer.limits.args, Math.max(1, Number(args) || 1)) })
          }
        />
      </div>
      <DataFields {...part} />
      <Conditions {...part} />
    </>
  );
}

/** Chosen where it has a name of its own; no option is called this. */
const OTHER = '\n';

/** Which post type or option. */
function Target({ row, offer, errors, path, onChange }: {
  readonly row: SimpleRow;
  readonly offer: Offer;
  readonly errors: Errors;
  readonly path: string;
  readonly onChange: (row: Row) => void;
}): JSX.Element {
  const isOption = row.type === 'option';
  const targets = isOption ? offer.options : offer.post_types;
  const isListed = targets.some(({ name }) => name === row.target);
  const [isTyped, setTyped] = useState(isOption && row.target !== '' && !isListed);
  const known = useId();
  const label = isOption ? __('Option', 'wordsocket') : __('Post type', 'wordsocket');
  return (
    <div className="wordsocket-row">
      <SelectControl
        __nextHasNoMarginBottom
        {...(isTyped ? { label } : fieldAt(errors, `${path}.target`, label))}
        value={isTyped ? OTHER : row.target}
        options={[
          { value: '', label: __('Choose', 'wordsocket') },
          ...targets.map(({ name, label: text }) => ({ value: name, label: text })),
          ...(isOption ? [{ value: OTHER, label: __('Another option', 'wordsocket') }] : []),
        ]}
        onChange={(target) => {
          setTyped(target === OTHER);
          onChange(aimed(row, target === OTHER ? '' : target));
        }}
      />
      {isTyped ? (
        <>
          <TextControl
            __nextHasNoMarginBottom
            {...fieldAt(
              errors,
              `${path}.target`,
              __('Name of the option', 'wordsocket'),
              __('As in the database, and only one whose value visitors see anyway: everybody who listens gets it.', 'wordsocket'),
            )}
            value={row.target}
            list={known}
            maxLength={offer.limits.text}
            onChange={(target) => onChange(aimed(row, target))}
          />
          <datalist id={known}>
            {offer.other_options.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      ) : null}
    </div>
  );
}

export function TriggerCard({ offer, row, at, errors, isSaved, seen, onChange, onCopy, onDelete }: Props): JSX.Element {
  const heading = useId();
  const path = String(at);
  return (
    <section className="wordsocket-card" aria-labelledby={heading} data-row={at}>
      <h3 id={heading}>{titleOf(row, at)}</h3>
      {row.type === 'hook' ? (
        <HookFields row={row} offer={offer} errors={errors} path={path} onChange={onChange} />
      ) : (
        <Target row={row} offer={offer} errors={errors} path={path} onChange={onChange} />
      )}
      <div className="wordsocket-row">
        <TextControl
          __nextHasNoMarginBottom
          {...fieldAt(errors, `${path}.event`, __('Name of the event', 'wordsocket'))}
          value={row.event}
          placeholder={suggestion(row)}
          maxLength={offer.limits.text}
          onChange={(event) => onChange({ ...row, event })}
        />
        <TextControl
          __nextHasNoMarginBottom
          {...fieldAt(errors, `${path}.channel`, __('Channel', 'wordsocket'))}
          value={row.channel}
          maxLength={offer.limits.text}
          onChange={(channel) => onChange({ ...row, channel })}
        />
      </div>
      {['type', ''].map((name) => (
        <Problem key={name} errors={errors} path={`${path}.${name}`} />
      ))}
      <LastSeen seen={seen} isSaved={isSaved} />
      <p className="wordsocket-row">
        <Button variant="tertiary" onClick={onCopy}>
          {__('Duplicate', 'wordsocket')}
        </Button>
        <Button variant="tertiary" isDestructive onClick={onDelete}>
          {__('Delete trigger', 'wordsocket')}
        </Button>
      </p>
    </section>
  );
}
