// <form data-preview>: shortly after a box or switch, what the form comes to is asked for, without saving it, and shown in the
// [data-live="name"] parts of the page (autosave.js shows them). Without JavaScript a button does it.
for (const form of document.querySelectorAll('form[data-preview]')) {
  let timer = 0;
  let last = 0;

  const ask = async () => {
    last += 1;
    const mine = last;
    const data = new FormData(form);
    data.set('go', 'look');
    try {
      const answer = await fetch(form.action, { method: 'POST', body: data, credentials: 'same-origin', redirect: 'error', signal: AbortSignal.timeout(8000) });
      const html = await answer.text();
      if (answer.ok && mine === last) document.dispatchEvent(new CustomEvent('latchkey:fresh', { detail: { html } }));
    } catch { /* the page says what was chosen before */ }
  };

  form.addEventListener('change', (event) => {
    if (!event.target.matches('[type="checkbox"], [type="radio"], select')) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 400);
  });
}
