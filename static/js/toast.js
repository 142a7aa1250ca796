// What is in [data-toasts] floats (CSS) for 6 s, or until it is dismissed.
const holder = document.querySelector('[data-toasts]');

const float = (message) => {
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'dismiss';
  close.textContent = '×';
  close.setAttribute('aria-label', holder.dataset.dismissLabel);
  message.append(close);

  let left = 6000;
  let started = 0;
  let timer = 0;
  const remove = () => {
    clearTimeout(timer);
    message.remove();
    if (!holder.children.length) holder.remove();
  };
  const run = () => {
    started = Date.now();
    timer = setTimeout(remove, left);
  };
  const pause = () => {
    clearTimeout(timer);
    left = Math.max(1500, left - (Date.now() - started));
  };
  const resume = () => {
    clearTimeout(timer);
    if (!message.matches(':hover, :focus-within')) run();
  };
  message.addEventListener('pointerenter', pause);
  message.addEventListener('focusin', pause);
  message.addEventListener('pointerleave', resume);
  message.addEventListener('focusout', () => setTimeout(resume));
  close.addEventListener('click', remove);
  run();
};

const messages = [...(holder?.children ?? [])];
if (messages.length) {
  holder.dataset.timed = '';
  // Above all that the page's own boxes could keep it in.
  if (getComputedStyle(holder).position === 'fixed') document.body.append(holder);
  const text = messages.map((message) => message.textContent.trim()).join(' ');
  messages.forEach(float);
  setTimeout(() => document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text } })), 300);
}
