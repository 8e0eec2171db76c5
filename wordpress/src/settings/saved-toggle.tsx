/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Notice, ToggleControl } from '@wordpress/components';
import { speak } from '@wordpress/a11y';
import { createElement, Fragment, useState } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import { messageOf } from '../api.js';

interface Props {
  readonly label: string;
  readonly help: string;
  readonly checked: boolean;
  /** Where it would change nothing. */
  readonly disabled?: boolean;
  /** Resolves with what is so afterwards. */
  readonly save: (wanted: boolean) => Promise<boolean>;
}

/** A switch that is saved at once, and goes back if it was not. */
export function SavedToggle(props: Props): JSX.Element {
  const { label, help, save } = props;
  const [checked, setChecked] = useState(props.checked);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState('');

  async function change(wanted: boolean): Promise<void> {
    setChecked(wanted);
    setBusy(true);
    setError('');
    try {
      setChecked(await save(wanted));
      speak(__('Saved.', 'wordsocket'));
    } catch (caught) {
      setChecked(!wanted);
      setError(messageOf(caught));
    }
    setBusy(false);
  }

  return (
    <>
      <ToggleControl
        __nextHasNoMarginBottom
        label={label}
        help={help}
        checked={checked}
        disabled={props.disabled ?? false}
        // Not "disabled": that would take the focus away.
        aria-busy={isBusy}
        onChange={(wanted) => (isBusy ? undefined : void change(wanted))}
      />
      {error ? (
        <Notice status="error" isDismissible={false}>
          {error}
        </Notice>
      ) : null}
    </>
  );
}
