// <textarea data-uri-check id="x"> with [data-uri-count="x" data-max data-count-label="{n} of {max}"].
// Only counts: the server judges the lines. <a data-line="4" href="#x"> selects that line.
const update = (area) => {
  const output = document.querySelector(`[data-uri-count="${CSS.escape(area.id)}"]`);
  if (!output) return;
  const n = area.value.split('\n').filter((line) => line.trim()).length;
  const max = Number(output.dataset.max);
  output.textContent = output.dataset.countLabel.replace('{n}', n).replace('{max}', max);
  output.toggleAttribute('data-over', n > max);
};

document.addEventListener('input', (event) => {
  if (event.target.matches('[data-uri-check]')) update(event.target);
});

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-line]');
  const area = link && document.getElementById(link.hash.slice(1));
  if (!area?.setSelectionRange) return;
  event.preventDefault();
  const lines = area.value.split('\n');
  const index = Math.min(Number(link.dataset.line), lines.length) - 1;
  const start = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + lines[index].length);
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (index - 1));
});

const init = (root) => root.querySelectorAll('[data-uri-check]').forEach(update);
init(document);
document.addEventListener('latchkey:content', (event) => init(event.detail.root));
