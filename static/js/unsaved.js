// [data-unsaved] inside a form: "2 unsaved changes", by comparing with what the server rendered.
// data-none-label, data-one-label, data-many-label="{n} unsaved changes".
const changed = (control) => {
  if (control.type === 'checkbox' || control.type === 'radio') return control.checked !== control.defaultChecked;
  if (control.tagName === 'SELECT') return [...control.options].some((option) => option.selected !== option.defaultSelected);
  return control.value !== control.defaultValue;
};

for (const output of document.querySelectorAll('[data-unsaved]')) {
  const form = output.closest('form');
  if (!form) continue;
  const update = () => {
    const names = new Set();
    for (const control of form.elements) {
      if (!control.name || control.type === 'hidden' || control.tagName === 'BUTTON' || control.tagName === 'OUTPUT') continue;
      // A group of radios is one change; each checkbox is its own.
      if (changed(control)) names.add(control.type === 'checkbox' ? `${control.name}=${control.value}` : control.name);
    }
    const { noneLabel = '', oneLabel = '', manyLabel = '' } = output.dataset;
    const text = names.size > 1 ? manyLabel.replace('{n}', names.size) : names.size ? oneLabel : noneLabel;
    if (output.textContent !== text) output.textContent = text;
  };
  form.addEventListener('input', update);
  form.addEventListener('change', update);
  form.addEventListener('reset', () => setTimeout(update));
  window.addEventListener('pageshow', update);
  update();
}
