/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the dashboard up to date and lists what happens; the page goes without.
 * See build/tools/embed-assets. */
(() => {
  const base = location.pathname.replace(/\/dashboard$/, '');
  const cards = new Map();
  for (const card of document.querySelectorAll('article[data-site]')) {
    cards.set(card.dataset.site, { card, now: Number(card.dataset.now), name: card.querySelector('h3').textContent });
  }
  const log = document.getElementById('log'), said = document.getElementById('feed-state');
  const set = (root, name, text) => { const at = root.querySelector(`[data-n="${name}"]`); if (at) at.textContent = text; };
  const age = (s) => s < 90 ? 'just now' : s < 5400 ? `${Math.round(s / 60)} minutes ago` : s < 129600 ? `${Math.round(s / 3600)} hours ago` : `${Math.round(s / 86400)} days ago`;
  document.getElementById('feed').hidden = false;
  function note(site, count) {
    const by = count - site.now;
    site.now = count;
    set(site.card, 'connections', count);
    site.card.querySelector('meter').value = count;
    if (!by) return;
    const line = document.createElement('li'), when = document.createElement('time');
    const what = document.createElement('span'), how = document.createElement('b');
    when.textContent = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    what.textContent = site.name;
    how.textContent = `${by > 0 ? '+' : '\u2212'}${Math.abs(by)}, now ${count}`;
    line.append(when, what, how);
    log.prepend(line);
    while (log.children.length > 30) log.lastChild.remove();
    said.hidden = true;
    total();
  }
  function total() {
    let all = 0;
    for (const site of cards.values()) all += site.now;
    set(document, 'all-connections', all);
  }
  /* What is under way would look like an end. */
  function draw(card, { pulse: all }) {
    const pulse = all.slice(0, -1), most = Math.max(1, ...pulse);
    set(card, 'most', Math.max(...pulse) * 6);
    const line = pulse.map((n, i) => `${i * 2},${(30 - 28 * n / most).toFixed(1)}`).join(' ');
    card.querySelector('polyline').setAttribute('points', line);
    card.querySelector('polygon').setAttribute('points', `0,30 ${line} ${2 * (pulse.length - 1)},30`);
  }
  function show(site, to) {
    const { card } = site, fault = card.querySelector('.fault');
    note(site, to.connections);
    set(card, 'minute', to.minute);
    draw(card, to);
    const live = to.connections > 0 || to.pulse.some(Boolean), state = card.querySelector('.state');
    state.classList.toggle('on', live);
    state.textContent = live ? 'Live' : 'Quiet';
    fault.hidden = !to.fault;
    if (to.fault) fault.textContent = `Last refusal, ${age(to.fault.age)}: ${to.fault.error} \u2013 ${to.fault.message}`;
  }
  async function look() {
    try {
      const answer = document.hidden ? null : await fetch(`${base}/dashboard/live`);
      const sites = answer && answer.ok ? (await answer.json()).sites : {};
      let minute = 0;
      for (const [key, to] of Object.entries(sites)) {
        minute += to.minute;
        if (cards.has(key)) show(cards.get(key), to);
      }
      if (answer && answer.ok) set(document, 'all-minute', minute);
    } catch { /* the next time, perhaps */ }
    setTimeout(look, 3000);
  }
  /* A browser opens six connections to a host, so not every site has a stream. */
  for (const [key, site] of [...cards].slice(0, 3)) {
    const stream = new EventSource(`${base}/dashboard/feed?site=${key}`);
    stream.onmessage = ({ data }) => { if (data) note(site, JSON.parse(data).data.active_connections); };
    addEventListener('pagehide', () => stream.close());
  }
  setTimeout(look, 1000);
})();
