/* SPDX-License-Identifier: GPL-2.0-or-later */

import { createElement } from '@wordpress/element';
import { Spinner } from '@wordpress/components';

export function Triggers(): JSX.Element {
  return <Spinner />;
}
