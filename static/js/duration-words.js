// <input data-duration id="x"> with [data-duration-words="x"] ("= 1 day") and
// [data-duration-summary data-label="{n} seconds = {words}"] elsewhere on the page, and
// buttons [data-duration-preset="64800" data-duration-for="x"].
const units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
const number = new Intl.NumberFormat(document.documentElement.lang || undefined);

const inWords = (seconds, data) => {
  let rest = seconds;
  const parts = [];
  for (const [unit, size] of units) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n) parts.push((n === 1 ? data[unit] : data[`${unit}s`]).replace('{n}', number.format(n)));
  }
  return parts.join(' ');
};

const inSummary = (seconds, units, { label = '{words}' }) => {
  if (!seconds) return '–';
  const words = inWords(seconds, units);
  return seconds < 60 ? words : label.replace('{n}', number.format(seconds)).replace('{words}', words);
};

const update = (input) => {
  const output = document.querySelector(`[data-duration-words="${CSS.escape(input.id)}"]`);
  const raw = input.value.replace(/[\s\u00a0\u202f,']/g, '');
  const seconds = /^\d{1,9}$/.test(raw) ? Number(raw) : 0;
  if (output) output.textContent = seconds ? `= ${inWords(seconds, output.dataset)}` : '';
  const summary = document.querySelector('[data-duration-summary]');
  if (output && summary) summary.textContent = inSummary(seconds, output.dataset, summary.dataset);
  for (const button of document.querySelectorAll(`[data-duration-for="${CSS.escape(input.id)}"]`)) {
    button.setAttribute('aria-pressed', String(Number(button.dataset.durationPreset) === seconds));
  }
};

document.addEventListener('input', (event) => {
  if (event.target.matches('[data-duration]')) update(event.target);
});

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-duration-preset]');
  const input = button && document.getElementById(button.dataset.durationFor);
  if (!input) return;
  input.value = button.dataset.durationPreset;
  input.dispatchEvent(new Event('input', { bubbles: true }));
});

// What was added may be the field, or the summary of one that is already here.
const init = () => document.querySelectorAll('[data-duration]').forEach(update);
init();
document.addEventListener('latchkey:content', init);
