/*! WordSocket. SPDX-License-Identifier: GPL-2.0-or-later */
"use strict";(()=>{var o=document.getElementById("wordsocket-collaboration-wake")?.textContent;if(o){let{withoutTypes:e}=JSON.parse(o);window._wpCollaborationEnabled=!0,window.__experimentalEnableRealTimeCollaboration=!0,window._wpCollaborationDisabledPostTypes=[...window._wpCollaborationDisabledPostTypes??[],...e]}})();
