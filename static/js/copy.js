// <button data-copy="#selector"> or <button data-copy-text="..."> with data-copied-label.
// data-secures: pressing it counts as having stored the secret (see leave-guard.js).
const timers = new WeakMap();

const selectAll = (source) => {
  if (source.select) {
    if (source.type === 'password') source.type = 'text';
    source.focus();
    source.select();
    return;
  }
  getSelection().selectAllChildren(source);
};

const write = async (text, source) => {
  if (navigator.clipboard && isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { /* not permitted: fall through to the selection */ }
  }
  if (!source) return false;
  selectAll(source);
  return document.execCommand('copy');
};

const label = (button) => button.querySelector('[data-copy-label]') ?? button;

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy], [data-copy-text]');
  if (!button) return;
  const source = button.dataset.copy
    ? document.querySelector(button.dataset.copy)
    : button.parentElement.querySelector('[data-copy-source]');
  const text = button.dataset.copyText ?? source?.value ?? source?.textContent ?? '';
  const copied = await write(text, source);
  if (!copied) {
    const message = button.dataset.manualLabel;
    if (message) document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text: message } }));
    return;
  }
  if ('secures' in button.dataset) document.dispatchEvent(new CustomEvent('latchkey:secured'));
  const target = label(button);
  button.dataset.plainLabel ??= target.textContent;
  target.textContent = button.dataset.copiedLabel;
  document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text: button.dataset.copiedLabel } }));
  clearTimeout(timers.get(button));
  timers.set(button, setTimeout(() => { target.textContent = button.dataset.plainLabel; }, 2000));
});
