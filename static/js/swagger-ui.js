// What Swagger UI lacks, put in as it draws in <div data-api-explorer data-words="{English: other}">: words of the page's
// language, names and states for those who cannot see, and a window that a keyboard can use and does not fall out of.
const place = document.querySelector('[data-api-explorer]');
const words = JSON.parse(place.dataset.words);
// What our document says, and what a route answers, stays as it is.
const NOT_ITS_OWN = [
  'pre:not(.errors-wrapper)', 'code', '.renderedMarkdown:not(.live-responses-table .renderedMarkdown)', '.opblock-summary-path',
  '.parameter__name:not(.opblock-title)', '.json-schema-2020-12__title', '.json-schema-2020-12-json-viewer',
].join();
const TOLD = ['aria-label', 'title', 'placeholder'];

// In a word, {} is what differs from time to time.
const escaped = (part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const patterns = Object.entries(words)
  .filter(([said]) => said.includes('{}'))
  .map(([said, text]) => [new RegExp(`^${said.split('{}').map(escaped).join('(.+)')}$`), text]);

const other = (said) => {
  if (Object.hasOwn(words, said)) return words[said];
  for (const [pattern, text] of patterns) {
    const found = pattern.exec(said);
    if (found) return found.slice(1).reduce((all, part) => all.replace('{}', () => other(part) ?? part), text);
  }
  return undefined;
};

const putIntoWords = (node) => {
  if (node.nodeType === Node.TEXT_NODE) {
    const said = node.data.trim();
    const text = said && other(said);
    if (text && !node.parentElement?.closest(NOT_ITS_OWN)) node.data = node.data.replace(said, () => text);
    return;
  }
  for (const name of node.closest('.parameters') ? ['title'] : TOLD) {
    const text = node.hasAttribute(name) && other(node.getAttribute(name));
    if (text) node.setAttribute(name, text);
  }
};

const throughout = (node) => {
  if (![Node.TEXT_NODE, Node.ELEMENT_NODE].includes(node.nodeType)) return;
  putIntoWords(node);
  const inside = document.createTreeWalker(node, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (inside.nextNode()) putIntoWords(inside.currentNode);
};

const inWords = (word) => other(word) ?? word;
const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };
const each = (selector, act) => { for (const element of place.querySelectorAll(selector)) act(element); };

const mend = () => {
  each('.close-modal:not([aria-label])', (button) => set(button, 'aria-label', inWords('Close')));
  each('pre:not([tabindex])', (example) => { example.tabIndex = 0; }); // they scroll
  each('[role="tabpanel"][tabindex]:has(pre)', (panel) => panel.removeAttribute('tabindex'));
  each('.operation-filter-input', (input) => set(input, 'aria-label', input.placeholder));
  each('h3[data-tag] .expand-operation', (button) => set(button, 'aria-label', button.closest('h3').dataset.tag));
  each('textarea.body-param__text', (text) => set(text, 'aria-label', inWords('Request body')));
  each('input[aria-label="auth-bearer-value"]', (input) => input.removeAttribute('aria-label')); // its label says more
  each('.opblock-summary :is(.authorization__btn, .copy-to-clipboard button)', (button) => {
    const { path } = button.closest('.opblock-summary').querySelector('.opblock-summary-path').dataset;
    if (!button.ariaLabel?.endsWith(path)) set(button, 'aria-label', `${button.ariaLabel ?? ''} ${path}`);
  });
  each('tr:has(.parameter__name.required) :is(input, select, textarea)', (input) => set(input, 'aria-required', 'true'));
  each('[data-param-name] :is(input, select, textarea)', (input) => {
    set(input, 'aria-label', input.closest('[data-param-name]').dataset.paramName);
    set(input, 'aria-invalid', String(input.classList.contains('invalid')));
  });
  each('table[role="region"]', (table) => table.removeAttribute('role')); // it is a table, and has no name as a region
  each('.validation-errors:not([role])', (errors) => set(errors, 'role', 'alert'));
  each('.scopes h2 a:not([role])', (link) => { link.tabIndex = 0; set(link, 'role', 'button'); });
  each('.modal-ux:not([role])', (modal) => {
    set(modal, 'role', 'dialog');
    set(modal, 'aria-modal', 'true');
    set(modal, 'aria-label', modal.querySelector('h3').textContent);
  });
};

// Whoever opened the window goes on where they were.
let opener;
let open = false;
const goBack = () => {
  const was = open;
  open = place.querySelector('.modal-ux') !== null;
  if (was && !open && opener?.isConnected) opener.focus();
};

new MutationObserver((changes) => {
  for (const { type, target, addedNodes } of changes) {
    if (type === 'childList') addedNodes.forEach(throughout);
    else putIntoWords(target);
  }
  mend();
  goBack();
}).observe(place, { childList: true, subtree: true, characterData: true, attributeFilter: [...TOLD, 'class'] });

place.addEventListener('focusin', ({ target }) => { if (!target.closest('.modal-ux')) opener = target; });
place.addEventListener('keydown', (event) => {
  const { key, target, shiftKey } = event;
  if ((key === 'Enter' || key === ' ') && target.matches('.scopes a[role="button"]')) {
    event.preventDefault();
    target.click();
  }
  const modal = key === 'Tab' && target.closest('.modal-ux');
  if (!modal) return;
  const stops = [...modal.querySelectorAll('button, input, a[tabindex]')].filter((stop) => stop.getClientRects().length);
  if (target === stops.at(shiftKey ? 0 : -1)) {
    event.preventDefault();
    stops.at(shiftKey ? -1 : 0).focus();
  }
});
