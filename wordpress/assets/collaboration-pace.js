/*! WordSocket. SPDX-License-Identifier: GPL-2.0-or-later */
"use strict";(()=>{var{hooks:o}=window.wp;o.addFilter("sync.pollingManager.pollingInterval","wordsocket/pace",()=>250);o.addFilter("sync.pollingManager.pollingIntervalWithCollaborators","wordsocket/pace",()=>60);})();
