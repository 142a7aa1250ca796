// [data-permission-tree]: domains ([data-tree-domain], a <details>) of boxes. While somebody searches, or looks at
// the selected ones, all of them are open; afterwards they are as before. [data-tree-all="on|off"] ticks or unticks
// what is in sight of its domain, [data-tree-count] counts the ticked boxes of one, [data-tree-total] all of them
// (data-one-label="{n} permission", data-many-label="{n} permissions").
const plural = new Intl.PluralRules(document.documentElement.lang || undefined); // none is singular in French
const ticked = (part) => [...part.querySelectorAll('input[name="permission"]')].filter((box) => box.checked).length;

const attach = (tree) => {
  const domains = [...tree.querySelectorAll('[data-tree-domain]')];
  const search = tree.querySelector('[data-filter-list]');
  const total = tree.closest('form')?.querySelector('[data-tree-total]');
  let before = null; // which domains were open

  const count = () => {
    for (const domain of domains) domain.querySelector('[data-tree-count]').textContent = ticked(domain);
    if (!total) return;
    const number = ticked(tree);
    const label = plural.select(number) === 'one' ? total.dataset.oneLabel : total.dataset.manyLabel;
    total.textContent = label.replace('{n}', number);
  };

  const unfold = () => {
    const narrowed = Boolean(search.value.trim()) || tree.dataset.view === 'chosen';
    if (narrowed) {
      before ??= domains.map((domain) => domain.open);
      for (const domain of domains) domain.open = true;
    } else if (before) {
      domains.forEach((domain, index) => { domain.open = before[index]; });
      before = null;
    }
  };

  const inSight = (box) => !box.disabled && !box.closest('[hidden], [data-out]');

  tree.addEventListener('click', (event) => {
    const button = event.target.closest('[data-tree-all]');
    if (button) {
      const boxes = [...button.closest('[data-tree-domain]').querySelectorAll('input[name="permission"]')].filter(inSight);
      for (const box of boxes) box.checked = button.dataset.treeAll === 'on';
      boxes.at(-1)?.dispatchEvent(new Event('change', { bubbles: true }));
    }
    // chosen.js, which was there first, has set the view by now.
    if (event.target.closest('[data-chosen-view]')) unfold();
  });
  search.addEventListener('input', unfold);
  // Escape empties the box without an input event.
  search.addEventListener('keyup', unfold);
  tree.addEventListener('change', count);
  window.addEventListener('pageshow', count); // the browser may have restored boxes
  count();
  if (search.value) unfold(); // typed before this was loaded
};

for (const tree of document.querySelectorAll('[data-permission-tree]')) attach(tree);
