/* SPDX-License-Identifier: GPL-2.0-or-later */

import { createElement } from '@wordpress/element';
import { Spinner } from '@wordpress/components';

export function Explorer(): JSX.Element {
  return <Spinner />;
}
