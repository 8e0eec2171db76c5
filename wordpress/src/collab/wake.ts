/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WordPress since 7.0 has the editor's half of collaboration asleep behind a flag,
 * under both of its names. Runs before wp-core-data, which looks once.
 */

declare global {
  interface Window {
    _wpCollaborationEnabled?: boolean;
    __experimentalEnableRealTimeCollaboration?: boolean;
    _wpCollaborationDisabledPostTypes?: string[];
  }
}

const text = document.getElementById('wordsocket-collaboration-wake')?.textContent;
// Without it nothing can be sealed; see editor.ts.
if (text && window.crypto?.subtle) {
  const { withoutTypes } = JSON.parse(text) as { withoutTypes: string[] };
  window._wpCollaborationEnabled = true;
  window.__experimentalEnableRealTimeCollaboration = true;
  window._wpCollaborationDisabledPostTypes = [
    ...(window._wpCollaborationDisabledPostTypes ?? []),
    ...withoutTypes,
  ];
}

export {};
