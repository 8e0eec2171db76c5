/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The switch "Live" of the blocks that have it. */

import apiFetch from '@wordpress/api-fetch';
import { InspectorControls } from '@wordpress/block-editor';
import { Button, ExternalLink, Notice, PanelBody, ToggleControl } from '@wordpress/components';
import { type ComponentType, createElement, Fragment, useState } from '@wordpress/element';
import { addFilter } from '@wordpress/hooks';
import { __ } from '@wordpress/i18n';

/** What PHP says: Live_Editor::enqueue(). */
interface Settings {
  readonly attribute: string;
  readonly blocks: readonly string[];
  readonly connected: boolean;
  /** The option that opens live blocks to visitors. */
  readonly option: string;
  visitors: boolean;
  readonly manages: boolean;
  /** Where to connect the site; empty for who may not. */
  readonly connect: string;
}

interface BlockType {
  readonly attributes?: object;
}

interface EditProps {
  readonly name: string;
  readonly isSelected: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly setAttributes: (changed: Record<string, unknown>) => void;
}

/** For whom blocks update, and the click that opens them to everybody. */
function Audience({ settings }: { settings: Settings }) {
  const [visitors, setVisitors] = useState(settings.visitors);
  const [isSaving, setSaving] = useState(false);
  const [failure, setFailure] = useState('');

  async function choose(on: boolean) {
    setSaving(true);
    setFailure('');
    try {
      await apiFetch({
        path: '/wp/v2/settings',
        method: 'POST',
        data: { [settings.option]: on },
      });
      settings.visitors = on;
      setVisitors(on);
    } catch (error) {
      setFailure((error as Error).message);
    }
    setSaving(false);
  }

  return (
    <>
      <p>
        {visitors
          ? __('Everybody who has the page open gets updates.', 'wordsocket')
          : __(
              'Only people who are logged in get updates, unless your site opens live connections to visitors itself.',
              'wordsocket',
            )}
      </p>
      {settings.manages && (
        <Button
          variant={visitors ? 'tertiary' : 'secondary'}
          size="compact"
          isBusy={isSaving}
          aria-disabled={isSaving}
          onClick={() => isSaving || void choose(!visitors)}
        >
          {visitors
            ? __('Only for people who are logged in', 'wordsocket')
            : __('Update for visitors, too', 'wordsocket')}
        </Button>
      )}
      {!settings.manages && !visitors && (
        <p>{__('An administrator can open them to visitors here.', 'wordsocket')}</p>
      )}
      {failure && (
        <Notice status="error" isDismissible={false}>
          {failure}
        </Notice>
      )}
    </>
  );
}

function Unconnected({ connect }: { connect: string }) {
  return (
    <Notice status="warning" isDismissible={false}>
      {__('This site is not connected to a relay, so nothing updates yet.', 'wordsocket')}{' '}
      {connect && <ExternalLink href={connect}>{__('Connect it', 'wordsocket')}</ExternalLink>}
    </Notice>
  );
}

function Panel({ settings, props }: { settings: Settings; props: EditProps }) {
  const on = props.attributes[settings.attribute] === true;
  return (
    <InspectorControls>
      <PanelBody title={__('Live', 'wordsocket')} initialOpen={on}>
        <ToggleControl
          __nextHasNoMarginBottom
          label={__('Update in place', 'wordsocket')}
          help={__(
            'What is published, changed or removed shows on open pages at once, without a reload.',
            'wordsocket',
          )}
          checked={on}
          onChange={(checked) => props.setAttributes({ [settings.attribute]: checked })}
        />
        {on && !settings.connected && <Unconnected connect={settings.connect} />}
        {on && settings.connected && <Audience settings={settings} />}
      </PanelBody>
    </InspectorControls>
  );
}

function install(settings: Settings) {
  const isOurs = (name: string) => settings.blocks.includes(name);

  addFilter('blocks.registerBlockType', 'wordsocket/live', (type: BlockType, name: string) =>
    isOurs(name)
      ? {
          ...type,
          attributes: {
            ...type.attributes,
            [settings.attribute]: { type: 'boolean', default: false },
          },
        }
      : type,
  );
  addFilter('editor.BlockEdit', 'wordsocket/live', (BlockEdit: ComponentType<EditProps>) =>
    function WithLive(props: EditProps) {
      return (
        <>
          <BlockEdit {...props} />
          {props.isSelected && isOurs(props.name) && <Panel settings={settings} props={props} />}
        </>
      );
    },
  );
}

const data = document.getElementById('wordsocket-live-data')?.textContent;
if (data) {
  install(JSON.parse(data) as Settings);
}
