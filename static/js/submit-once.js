// <form data-once>: while one submit is under way, another press of a button is ignored.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || !('once' in form.dataset)) return;
  if (form.ariaBusy === 'true') {
    event.preventDefault();
    return;
  }
  form.ariaBusy = 'true';
  setTimeout(() => { form.ariaBusy = null; }, 10000);
});

window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-once]')) form.ariaBusy = null;
});
