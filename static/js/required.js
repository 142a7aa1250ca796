// <input required data-required-error="id of a hidden error">: shows that error instead of the browser's bubble.
const errorOf = (input) => input.dataset.requiredError && document.getElementById(input.dataset.requiredError);

document.addEventListener('invalid', (event) => {
  const input = event.target;
  const error = errorOf(input);
  if (!error) return;
  event.preventDefault();
  error.hidden = false;
  input.setAttribute('aria-invalid', 'true');
  input.setAttribute('aria-describedby', error.id);
  input.focus();
  document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text: error.textContent.trim() } }));
}, true);

document.addEventListener('change', (event) => {
  const error = errorOf(event.target);
  if (!error || !event.target.checkValidity()) return;
  error.hidden = true;
  event.target.removeAttribute('aria-invalid');
  event.target.removeAttribute('aria-describedby');
});
