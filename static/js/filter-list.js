// <input data-filter-list="#container"> shows only the [data-filter-text] items that contain every word typed.
// [data-filter-empty="container id"] appears when nothing is left. data-count-label="{n} shown", data-none-label="Nothing matches". "/" focuses [data-search].
const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
let announceTimer = 0;

const apply = (input) => {
  const box = document.querySelector(input.dataset.filterList);
  if (!box) return;
  const wanted = plain(input.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const item of box.querySelectorAll('[data-filter-text]')) {
    const outer = item.parentElement.closest('[data-filter-text]');
    if (outer && box.contains(outer)) continue; // belongs to a list inside an item
    const text = plain(item.dataset.filterText || item.textContent);
    item.hidden = !wanted.every((word) => text.includes(word));
    if (!item.hidden) count += 1;
  }
  for (const group of box.querySelectorAll('[data-filter-group]')) {
    group.hidden = !group.querySelector('[data-filter-text]:not([hidden])');
  }
  const empty = document.querySelector(`[data-filter-empty="${CSS.escape(box.id)}"]`);
  if (empty) empty.hidden = count > 0;
  const words = count ? input.dataset.countLabel : input.dataset.noneLabel;
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => {
    const text = (words ?? '').replace('{n}', count);
    if (text) document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text } }));
  }, 500);
};

document.addEventListener('input', (event) => {
  if (event.target.matches('[data-filter-list]')) apply(event.target);
});

// Typed before this was loaded, or restored by the browser.
for (const input of document.querySelectorAll('[data-filter-list]')) if (input.value) apply(input);

document.addEventListener('keydown', (event) => {
  const input = event.target;
  if (input.matches?.('[data-filter-list]')) {
    if (event.key === 'Enter') event.preventDefault(); // filtering must not submit the form around it
    if (event.key === 'Escape' && input.value) {
      event.preventDefault();
      input.value = '';
      apply(input);
    }
    return;
  }
  const off = document.documentElement.dataset.shortcuts === 'off';
  if (event.key !== '/' || off || event.ctrlKey || event.metaKey || event.altKey) return;
  if (input.isContentEditable || input.matches?.('input, textarea, select') || document.querySelector('dialog:modal')) return;
  const search = document.querySelector('[data-search]');
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});
