// <a data-dialog href>: shows [data-dialog-content] of that page in a modal dialog.
// <section data-dialog-upgrade id="x">: becomes a dialog opened by [data-dialog-open="x"].
// A dialog of the server has no opener: afterwards, focus goes to the form that its button would have sent.
const returnTo = (dialog) => dialog.querySelector('button[form]')?.form?.querySelector('.button-primary');

// The answer that does no harm; of radios the chosen one, because the arrow keys would choose another.
const firstOf = (dialog) => {
  const safe = dialog.querySelector('[data-dialog-safe]')
    ?? (dialog.querySelector('.button-danger') && dialog.querySelector('[data-dialog-close]'));
  if (safe) return safe;
  const first = dialog.querySelector('input:not([type="hidden"]), select, textarea, button, a[href]');
  const group = first?.type === 'radio' && first.name && [...dialog.querySelectorAll(`input[type="radio"][name="${CSS.escape(first.name)}"]`)];
  return (group && group.find((radio) => radio.checked)) || first;
};

const show = (dialog, opener) => {
  const heading = dialog.querySelector('h1, h2, h3');
  if (heading) {
    heading.id ||= `dialog-title-${Math.random().toString(36).slice(2, 9)}`;
    dialog.setAttribute('aria-labelledby', heading.id);
  }
  dialog.addEventListener('close', () => (opener ?? returnTo(dialog))?.focus(), { once: true });
  dialog.showModal();
  firstOf(dialog)?.focus();
};

// A redirect is for the window: a page that is fetched uses up the message that says why it came.
const fetchInto = async (link) => {
  const response = await fetch(link.href, { credentials: 'same-origin', redirect: 'manual', headers: { Accept: 'text/html' } });
  if (!response.ok) throw new Error(String(response.status));
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const content = page.querySelector('[data-dialog-content]');
  if (!content) throw new Error('no dialog content');
  for (const form of content.querySelectorAll('form:not([action])')) form.setAttribute('action', response.url);
  const dialog = document.createElement('dialog');
  dialog.append(document.adoptNode(content));
  document.body.append(dialog);
  const opener = link.closest('[data-menu]')?.querySelector('summary') ?? link;
  dialog.addEventListener('close', () => dialog.remove());
  show(dialog, opener);
  document.dispatchEvent(new CustomEvent('latchkey:content', { bubbles: true, detail: { root: dialog } }));
};

const upgrade = (root) => {
  for (const section of root.querySelectorAll('[data-dialog-upgrade]')) {
    if (section.closest('dialog')) continue;
    const dialog = document.createElement('dialog');
    section.replaceWith(dialog);
    dialog.append(section);
    if ('dialogShow' in section.dataset) show(dialog, null);
  }
  for (const opener of root.querySelectorAll('[data-dialog-open], a[data-dialog]')) {
    opener.setAttribute('aria-haspopup', 'dialog');
  }
};

document.addEventListener('click', (event) => {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!plain || event.defaultPrevented) return;
  const opener = event.target.closest('[data-dialog-open]');
  const dialog = opener && document.getElementById(opener.dataset.dialogOpen)?.closest('dialog');
  if (dialog) {
    event.preventDefault();
    if (!dialog.open) show(dialog, opener);
    return;
  }
  const closer = event.target.closest('[data-dialog-close]')?.closest('dialog');
  if (closer) {
    event.preventDefault();
    closer.close();
    return;
  }
  const link = event.target.closest('a[data-dialog]');
  if (!link) return;
  event.preventDefault();
  if (link.ariaBusy === 'true') return;
  link.ariaBusy = 'true';
  fetchInto(link).catch(() => { location.href = link.href; }).finally(() => { link.ariaBusy = null; });
});

upgrade(document);
document.addEventListener('latchkey:content', (event) => upgrade(event.detail.root));
