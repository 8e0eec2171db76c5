/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Notice } from '@wordpress/components';
import { Component, createElement, type ReactNode } from '@wordpress/element';
import { __ } from '@wordpress/i18n';

interface Props {
  readonly children: ReactNode;
}

interface Caught {
  readonly message: string | null;
}

/** Keeps what an extension throws from taking the screen with it. */
export class Boundary extends Component<Props, Caught> {
  override state: Caught = { message: null };

  static getDerivedStateFromError(error: unknown): Caught {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { message } = this.state;
    if (message === null) {
      return this.props.children;
    }
    return (
      <Notice status="error" isDismissible={false}>
        {__('This tab broke:', 'wordsocket')} {message}
      </Notice>
    );
  }
}
