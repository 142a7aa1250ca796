// <form data-theme-form>: the theme changes in place, so that nothing on the page is lost.
// If the request fails, the theme is kept for this page only.
document.addEventListener('submit', (event) => {
  const form = event.target;
  const chosen = event.submitter?.value;
  if (!('themeForm' in form.dataset) || !chosen) return;
  event.preventDefault();
  const root = document.documentElement;
  if (chosen === 'system') delete root.dataset.theme;
  else root.dataset.theme = chosen;
  for (const button of form.querySelectorAll('button[name="theme"]')) {
    button.setAttribute('aria-pressed', String(button === event.submitter));
  }
  fetch(form.action, {
    method: 'POST',
    body: new FormData(form, event.submitter),
    credentials: 'same-origin',
    redirect: 'manual',
    keepalive: true, // reaches the server though a link is followed at once
    headers: { 'X-Requested-With': 'fetch' },
  }).catch(() => {});
});
