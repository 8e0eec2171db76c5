/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What live blocks use of WordPress beyond ../wordpress.d.ts. */

declare module '@wordpress/block-editor' {
  import type { ComponentType, ReactNode } from 'react';
  export const InspectorControls: ComponentType<{ group?: string; children?: ReactNode }>;
}

declare module '@wordpress/components' {
  import type { ComponentType, ReactNode } from 'react';
  export const PanelBody: ComponentType<{
    title: string;
    initialOpen?: boolean;
    children?: ReactNode;
  }>;
}

declare module '@wordpress/interactivity' {
  export function store<T extends { state: object; actions: object }>(
    namespace: string,
    parts: T,
  ): T;
  export function getConfig(
    namespace?: string,
  ): { readonly clientNavigationDisabled?: boolean } | undefined;
}

declare module '@wordpress/interactivity-router' {
  export const actions: {
    navigate(
      href: string,
      options: {
        html?: string;
        force?: boolean;
        replace?: boolean;
        loadingAnimation?: boolean;
        screenReaderAnnouncement?: boolean;
      },
    ): Promise<void>;
  };
}
