// <form data-autosave>: two seconds after typing stops, or at once after a box or switch, the form is posted with autosave=1.
// The answer is 204, or 200 with the [data-live="name"] parts of the page that depend on what was saved.
// X-Saved-At and data-saved-at are points in time, shown as "14:02" in the reader's own zone.
const words = (status, key, values = {}) => (status.dataset[key] ?? '').replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');

const clock = (iso) => {
  const time = new Date(iso);
  return Number.isNaN(time.valueOf()) ? iso : time.toLocaleTimeString(document.documentElement.lang || undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
};

const focusable = (region) => [...region.querySelectorAll('a[href], button, summary, input')];

const refresh = (region, fresh) => {
  for (const script of fresh.querySelectorAll('script')) script.remove();
  if (region.innerHTML === fresh.innerHTML) return;
  const focused = focusable(region).indexOf(document.activeElement);
  const open = [...region.querySelectorAll('details')].map((part) => part.open);
  region.replaceChildren(...fresh.childNodes);
  region.querySelectorAll('details').forEach((part, index) => { part.open = open[index] ?? part.open; });
  if (focused >= 0) focusable(region).at(Math.min(focused, focusable(region).length - 1))?.focus();
  document.dispatchEvent(new CustomEvent('latchkey:content', { detail: { root: region } }));
};

const show = (html) => {
  const page = new DOMParser().parseFromString(html, 'text/html');
  for (const fresh of page.querySelectorAll('[data-live]')) {
    const name = fresh.dataset.live;
    const region = name && document.querySelector(`[data-live="${CSS.escape(name)}"]`);
    if (region) refresh(region, fresh);
  }
};

// Signing in again, in another tab, changes the token that every form must send.
const renewToken = async (form) => {
  const answer = await fetch(form.action, { credentials: 'same-origin', redirect: 'error', signal: AbortSignal.timeout(8000) });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const token = page.querySelector('form[data-autosave] input[name="csrfmiddlewaretoken"]');
  if (!token) return;
  for (const field of document.querySelectorAll('input[name="csrfmiddlewaretoken"]')) field.value = token.value;
};

const attach = (form) => {
  const status = form.querySelector('[data-autosave-status]');
  let timer = 0;
  let running = null;
  let edits = 0;
  let leaving = false;
  let signedOut = false;

  const say = (text, retry) => {
    if (!status) return;
    status.textContent = text;
    if (!retry) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'link-button';
    button.textContent = status.dataset.retryLabel;
    button.addEventListener('click', save);
    status.append(' — ', button);
  };

  const body = () => {
    const data = new FormData(form);
    for (const field of form.querySelectorAll('input[type="password"], input[type="file"], [data-reveal-field]')) data.delete(field.name);
    data.set('autosave', '1');
    return data;
  };

  const post = async () => {
    const before = edits;
    try {
      if (signedOut) await renewToken(form);
      const response = await fetch(form.action, {
        method: 'POST', body: body(), credentials: 'same-origin', redirect: 'manual', signal: AbortSignal.timeout(8000),
      });
      if (response.status === 409) return say(words(status, 'conflictLabel'));
      const version = response.headers.get('X-Draft-Version');
      // No session, the way to the sign-in page, that page itself, or the token of the session before.
      const oldToken = response.status === 403 && !signedOut;
      signedOut = response.status === 401 || response.type === 'opaqueredirect' || oldToken || (response.ok && !version);
      if (signedOut) return say(words(status, 'signedOutLabel'), true);
      if (!response.ok) throw new Error(String(response.status));
      const field = form.querySelector('input[name="version"]');
      if (field) field.value = version;
      say(words(status, 'savedLabel', { time: clock(response.headers.get('X-Saved-At') ?? '') }));
      if (before !== edits) return; // a newer answer is on its way
      form.dispatchEvent(new CustomEvent('latchkey:saved', { bubbles: true }));
      if (response.status === 200) show(await response.text());
    } catch {
      say(words(status, signedOut ? 'signedOutLabel' : 'failedLabel'), true);
    }
  };

  async function save() {
    clearTimeout(timer);
    if (leaving) return;
    if (running) await running;
    if (leaving) return;
    running = post().finally(() => { running = null; });
  }

  const later = (event) => {
    if (!event.target.name || event.target.type === 'password') return;
    edits += 1;
    clearTimeout(timer);
    timer = setTimeout(save, event.target.matches('[type="checkbox"], [type="radio"], select') ? 400 : 2000);
  };
  if (status?.dataset.savedAt) say(words(status, 'savedLabel', { time: clock(status.dataset.savedAt) }));
  form.addEventListener('input', later);
  form.addEventListener('change', later);

  form.addEventListener('submit', async (event) => {
    clearTimeout(timer);
    leaving = true;
    if (!running) return;
    event.preventDefault(); // the answer under way carries the version this submit must send
    const { submitter } = event;
    await running;
    form.requestSubmit(submitter);
  });
  window.addEventListener('pageshow', () => { leaving = false; });
};

document.addEventListener('latchkey:fresh', (event) => show(event.detail.html)); // from preview.js
for (const form of document.querySelectorAll('form[data-autosave]')) attach(form);
