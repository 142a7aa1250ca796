// [data-toasts] holds the messages of the server; [data-toast="success"] ones float for 6 s, others stay in the page.
const region = document.querySelector('[data-toasts]');

const float = (message, holder) => {
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'dismiss';
  close.textContent = '×';
  close.setAttribute('aria-label', region.dataset.dismissLabel);
  message.append(close);
  holder.append(message);

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

if (region) {
  const messages = region.querySelectorAll('[data-toast="success"], [data-toast="info"]');
  if (messages.length) {
    const holder = document.createElement('section');
    holder.className = 'toasts';
    holder.setAttribute('aria-label', region.dataset.toastsLabel);
    document.body.append(holder);
    const text = [...messages].map((message) => message.textContent.trim()).join(' ');
    for (const message of messages) float(message, holder);
    setTimeout(() => document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text } })), 300);
  }
}
