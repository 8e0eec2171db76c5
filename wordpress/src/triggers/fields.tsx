/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a hook's row: which value, and what it is compared with. */

import { Button, SelectControl, TextControl } from '@wordpress/components';
import { createElement, Fragment, useId } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import {
  type Condition,
  type DataField,
  type Errors,
  type HookRow,
  type Offer,
  replaced,
  without,
} from './rows.js';

interface Source {
  readonly arg: number;
  readonly kind: string;
  readonly field: string;
}

export interface Part {
  readonly offer: Offer;
  readonly row: HookRow;
  readonly errors: Errors;
  /** Of the row, as in `errors`. */
  readonly path: string;
  readonly onChange: (row: HookRow) => void;
}

/** What is wrong with no single field. */
export function Problem({ errors, path, id }: {
  readonly errors: Errors;
  readonly path: string;
  readonly id?: string;
}): JSX.Element | null {
  const message = errors.get(path);
  return message ? (
    <p className="wordsocket-problem" {...(id ? { id } : {})}>
      {message}
    </p>
  ) : null;
}

/** For the field at a path: its help, and that it is wrong, which is read with it. */
export function fieldAt(errors: Errors, path: string, label: string, help = ''): {
  readonly label: string;
  readonly help?: JSX.Element | string;
  readonly 'aria-invalid'?: true;
} {
  const message = errors.get(path);
  if (!message) {
    return help === '' ? { label } : { label, help };
  }
  return {
    label,
    help: (
      <>
        <span className="wordsocket-problem">
          {sprintf(/* translators: 1: label of a field, 2: what should be there. */ __('%1$s: %2$s', 'wordsocket'), label, message)}
        </span>
        {help === '' ? null : ` ${help}`}
      </>
    ),
    'aria-invalid': true,
  };
}

/** For the frame around a list that is wrong as a whole. */
function frameAt(errors: Errors, path: string, problem: string): object {
  return errors.has(path) ? { 'aria-describedby': problem, 'data-wrong': true, tabIndex: -1 } : {};
}

/** What a message calls a row of a list. */
function RowTitle({ text }: { readonly text: string }): JSX.Element {
  return (
    <strong className="wordsocket-row-title" aria-hidden="true">
      {text}
    </strong>
  );
}

/** Which argument, as what, and which field of it. */
function SourceFields<T extends Source>({ source, offer, args, errors, path, onChange }: {
  readonly source: T;
  readonly errors: Errors;
  /** Of the source, as in `errors`. */
  readonly path: string;
  readonly offer: Offer;
  readonly args: number;
  readonly onChange: (source: T) => void;
}): JSX.Element {
  const kind = offer.kinds.find(({ name }) => name === source.kind);
  return (
    <>
      <SelectControl
        __nextHasNoMarginBottom
        {...fieldAt(errors, `${path}.arg`, __('Argument', 'wordsocket'))}
        value={String(source.arg)}
        options={Array.from({ length: Math.max(1, args) }, (_, at) => ({
          value: String(at + 1),
          label: String(at + 1),
        }))}
        onChange={(arg) => onChange({ ...source, arg: Number(arg) })}
      />
      <SelectControl
        __nextHasNoMarginBottom
        {...fieldAt(errors, `${path}.kind`, __('Is', 'wordsocket'))}
        value={source.kind}
        options={offer.kinds.map(({ name, label }) => ({ value: name, label }))}
        onChange={(name) =>
          onChange({
            ...source,
            kind: name,
            field: offer.kinds.find((item) => item.name === name)?.fields[0] ?? '',
          })
        }
      />
      {kind && kind.fields.length > 0 ? (
        <SelectControl
          __nextHasNoMarginBottom
          {...fieldAt(errors, `${path}.field`, __('Field', 'wordsocket'))}
          value={source.field}
          options={kind.fields.map((name) => ({ value: name, label: name }))}
          onChange={(field) => onChange({ ...source, field })}
        />
      ) : null}
    </>
  );
}

export function DataFields({ offer, row, errors, path, onChange }: Part): JSX.Element {
  const set = (data: readonly DataField[]): void =>
    onChange({
      ...row,
      data,
      object: data.some(({ name }) => name === row.object) ? row.object : '',
    });
  const problem = useId();
  const titles = row.data.map((_item, at) => sprintf(/* translators: %d: number. */ __('Value %d', 'wordsocket'), at + 1));
  return (
    <fieldset className="wordsocket-fields" {...frameAt(errors, `${path}.data`, problem)}>
      <legend>{__('Data of the event', 'wordsocket')}</legend>
      {row.data.map((item, at) => (
        <div className="wordsocket-row" key={at} role="group" aria-label={titles[at]}>
          <RowTitle text={titles[at] ?? ''} />
          <TextControl
            __nextHasNoMarginBottom
            {...fieldAt(errors, `${path}.data.${at}.name`, __('Name', 'wordsocket'))}
            value={item.name}
            maxLength={offer.limits.text}
            onChange={(name) => set(replaced(row.data, at, { ...item, name }))}
          />
          <SourceFields
            source={item}
            offer={offer}
            args={row.args}
            errors={errors}
            path={`${path}.data.${at}`}
            onChange={(next) => set(replaced(row.data, at, next))}
          />
          <Button variant="tertiary" isDestructive onClick={() => set(without(row.data, at))}>
            {__('Remove value', 'wordsocket')}
          </Button>
        </div>
      ))}
      <Button
        variant="secondary"
        disabled={row.data.length >= offer.limits.data}
        onClick={() =>
          set([
            ...row.data,
            { name: '', arg: 1, kind: offer.kinds[0]?.name ?? 'value', field: offer.kinds[0]?.fields[0] ?? '' },
          ])
        }
      >
        {__('Add value', 'wordsocket')}
      </Button>
      {row.data.length > 0 ? (
        <SelectControl
          __nextHasNoMarginBottom
          {...fieldAt(
            errors,
            `${path}.object`,
            __('What the event is about', 'wordsocket'),
            __('Of several events about the same thing in one request only the newest is sent.', 'wordsocket'),
          )}
          value={row.object}
          options={[
            { value: '', label: __('Each event stands for itself', 'wordsocket') },
            ...row.data
              .filter(({ name }) => name !== '')
              .map(({ name }) => ({ value: name, label: name })),
          ]}
          onChange={(object) => onChange({ ...row, object })}
        />
      ) : null}
      <Problem errors={errors} path={`${path}.data`} id={problem} />
    </fieldset>
  );
}

export function Conditions({ offer, row, errors, path, onChange }: Part): JSX.Element {
  const set = (conditions: readonly Condition[]): void => onChange({ ...row, conditions });
  const problem = useId();
  const titles = row.conditions.map((_item, at) => sprintf(/* translators: %d: number. */ __('Condition %d', 'wordsocket'), at + 1));
  return (
    <fieldset className="wordsocket-fields" {...frameAt(errors, `${path}.conditions`, problem)}>
      <legend>{__('Only if', 'wordsocket')}</legend>
      {row.conditions.length > 1 ? (
        <SelectControl
          __nextHasNoMarginBottom
          {...fieldAt(errors, `${path}.match`, __('How many must hold', 'wordsocket'))}
          value={row.match}
          options={[
            { value: 'all', label: __('all of these hold', 'wordsocket') },
            { value: 'any', label: __('one of these holds', 'wordsocket') },
          ]}
          onChange={(match) => onChange({ ...row, match: match as HookRow['match'] })}
        />
      ) : null}
      {row.conditions.map((item, at) => (
        <div className="wordsocket-row" key={at} role="group" aria-label={titles[at]}>
          <RowTitle text={titles[at] ?? ''} />
          <SourceFields
            source={item}
            offer={offer}
            args={row.args}
            errors={errors}
            path={`${path}.conditions.${at}`}
            onChange={(next) => set(replaced(row.conditions, at, next))}
          />
          <SelectControl
            __nextHasNoMarginBottom
            {...fieldAt(errors, `${path}.conditions.${at}.operator`, __('Compared by', 'wordsocket'))}
            value={item.operator}
            options={offer.operators.map(({ name, label }) => ({ value: name, label }))}
            onChange={(operator) => set(replaced(row.conditions, at, { ...item, operator }))}
          />
          {offer.operators.find(({ name }) => name === item.operator)?.value ? (
            <TextControl
              __nextHasNoMarginBottom
              {...fieldAt(errors, `${path}.conditions.${at}.value`, __('With', 'wordsocket'))}
              value={item.value}
              maxLength={offer.limits.text}
              onChange={(value) => set(replaced(row.conditions, at, { ...item, value }))}
            />
          ) : null}
          <Button variant="tertiary" isDestructive onClick={() => set(without(row.conditions, at))}>
            {__('Remove condition', 'wordsocket')}
          </Button>
        </div>
      ))}
      <Button
        variant="secondary"
        disabled={row.conditions.length >= offer.limits.conditions}
        onClick={() =>
          set([
            ...row.conditions,
            {
              arg: 1,
              kind: offer.kinds[0]?.name ?? 'value',
              field: offer.kinds[0]?.fields[0] ?? '',
              operator: offer.operators[0]?.name ?? 'is',
              value: '',
            },
          ])
        }
      >
        {__('Add condition', 'wordsocket')}
      </Button>
      <Problem errors={errors} path={`${path}.conditions`} id={problem} />
    </fieldset>
  );
}
