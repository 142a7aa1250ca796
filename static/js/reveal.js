// <button data-reveal="#id" aria-pressed="false" data-show-label data-hide-label>
// switches a field between dots and text, and back to dots after a minute.
// A field that is only read also stands in full below itself, where it is too narrow for its text (CSS).
const timers = new WeakMap();

const inFull = (input) => {
  if (!input.readOnly) return;
  let whole = input.parentElement.querySelector(':scope > .input-whole');
  if (!whole) {
    whole = document.createElement('span');
    whole.className = 'input-whole';
    whole.setAttribute('aria-hidden', 'true');
    input.after(whole);
  }
  whole.textContent = input.type === 'password' ? '' : input.value;
};

const set = (button, shown) => {
  const input = document.querySelector(button.dataset.reveal);
  if (!input) return;
  input.type = shown ? 'text' : 'password';
  inFull(input);
  button.setAttribute('aria-pressed', String(shown));
  const label = button.querySelector('[data-reveal-label]') ?? button;
  label.textContent = shown ? button.dataset.hideLabel : button.dataset.showLabel;
  clearTimeout(timers.get(button));
  if (shown) timers.set(button, setTimeout(() => set(button, false), 60000));
};

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-reveal]');
  if (button) set(button, button.getAttribute('aria-pressed') !== 'true');
});

// A password is sent as a password field, so that no browser offers it as plain form history.
document.addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('[data-reveal][aria-pressed="true"]')) set(button, false);
}, true);
window.addEventListener('pagehide', () => {
  for (const button of document.querySelectorAll('[data-reveal][aria-pressed="true"]')) set(button, false);
});

for (const input of document.querySelectorAll('input.input-mono[readonly]')) inFull(input);
