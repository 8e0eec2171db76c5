/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The switch "Live" of the blocks that have it. */

const { apiFetch } = window.wp;
const { InspectorControls } = window.wp.blockEditor;
const { Button, ExternalLink, Notice, PanelBody, ToggleControl } = window.wp.components;
const { createHigherOrderComponent } = window.wp.compose;
const { useState } = window.wp.element;
const { addFilter } = window.wp.hooks;
const { __ } = window.wp.i18n;

const settings = window.wordsocketLive;
const { attribute } = settings;

addFilter( 'blocks.registerBlockType', 'wordsocket/live', ( type, name ) =>
	settings.blocks.includes( name )
		? {
				...type,
				attributes: {
					...type.attributes,
					[ attribute ]: { type: 'boolean', default: false },
				},
		  }
		: type
);

/** For whom blocks update, and the click that opens them to everybody. */
function Audience() {
	const [ visitors, setVisitors ] = useState( settings.visitors );
	const [ saving, setSaving ] = useState( false );
	const [ failure, setFailure ] = useState( '' );

	async function choose( on ) {
		setSaving( true );
		setFailure( '' );
		try {
			await apiFetch( { path: '/wp/v2/settings', method: 'POST', data: { [ settings.option ]: on } } );
			settings.visitors = on;
			setVisitors( on );
		} catch ( error ) {
			setFailure( error.message );
		}
		setSaving( false );
	}

	return (
		<>
			<p>
				{ visitors
					? __( 'Everybody who has the page open gets updates.', 'wordsocket' )
					: __( 'Only people who are logged in get updates, unless your site opens live connections to visitors itself.', 'wordsocket' ) }
			</p>
			{ settings.manages && (
				<Button
					variant={ visitors ? 'tertiary' : 'secondary' }
					size="compact"
					isBusy={ saving }
					disabled={ saving }
					accessibleWhenDisabled
					onClick={ () => choose( ! visitors ) }
				>
					{ visitors ? __( 'Only for people who are logged in', 'wordsocket' ) : __( 'Update for visitors, too', 'wordsocket' ) }
				</Button>
			) }
			{ ! settings.manages && ! visitors && <p>{ __( 'An administrator can open them to visitors here.', 'wordsocket' ) }</p> }
			{ failure && (
				<Notice status="error" isDismissible={ false }>
					{ failure }
				</Notice>
			) }
		</>
	);
}

function LivePanel( { on, onChange } ) {
	return (
		<InspectorControls>
			<PanelBody title={ __( 'Live', 'wordsocket' ) } initialOpen={ on }>
				<ToggleControl
					__nextHasNoMarginBottom
					label={ __( 'Update in place', 'wordsocket' ) }
					help={ __( 'What is published, changed or removed shows on open pages at once, without a reload.', 'wordsocket' ) }
					checked={ on }
					onChange={ onChange }
				/>
				{ on && ! settings.connected && (
					<Notice status="warning" isDismissible={ false }>
						{ __( 'This site is not connected to a relay, so nothing updates yet.', 'wordsocket' ) }{ ' ' }
						{ settings.connect && <ExternalLink href={ settings.connect }>{ __( 'Connect it', 'wordsocket' ) }</ExternalLink> }
					</Notice>
				) }
				{ on && settings.connected && <Audience /> }
			</PanelBody>
		</InspectorControls>
	);
}

addFilter(
	'editor.BlockEdit',
	'wordsocket/live',
	createHigherOrderComponent(
		( BlockEdit ) => ( props ) => (
			<>
				<BlockEdit { ...props } />
				{ props.isSelected && settings.blocks.includes( props.name ) && (
					<LivePanel
						on={ true === props.attributes[ attribute ] }
						onChange={ ( on ) => props.setAttributes( { [ attribute ]: on } ) }
					/>
				) }
			</>
		),
		'withWordSocketLive'
	)
);
