// <form data-autosave>: two seconds after typing stops the form is posted with autosave=1.
// X-Saved-At and data-saved-at are points in time, shown as "14:02" in the reader's own zone.
const words = (status, key, values = {}) => (status.dataset[key] ?? '').replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');

const clock = (iso) => {
  const time = new Date(iso);
  return Number.isNaN(time.valueOf()) ? iso : time.toLocaleTimeString(document.documentElement.lang || undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
};

const attach = (form) => {
  const status = form.querySelector('[data-autosave-status]');
  let timer = 0;
  let running = null;
  let edits = 0;
  let leaving = false;

  const say = (text, retry) => {
    if (!status) return;
    status.textContent = text;
    if (!retry) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'link-button';
    button.textContent = status.dataset.retryLabel;
    button.addEventListener('click', save);
    status.append(' ', button);
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
      const response = await fetch(form.action, {
        method: 'POST', body: body(), credentials: 'same-origin', redirect: 'error', signal: AbortSignal.timeout(8000),
      });
      if (response.status === 409) return say(words(status, 'conflictLabel'));
      if (response.status !== 204) throw new Error(String(response.status));
      const version = response.headers.get('X-Draft-Version');
      const field = form.querySelector('input[name="version"]');
      if (version && field) field.value = version;
      say(words(status, 'savedLabel', { time: clock(response.headers.get('X-Saved-At') ?? '') }));
      if (before === edits) form.dispatchEvent(new CustomEvent('latchkey:saved', { bubbles: true }));
    } catch {
      say(words(status, 'failedLabel'), true);
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
    timer = setTimeout(save, 2000);
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

for (const form of document.querySelectorAll('form[data-autosave]')) attach(form);
