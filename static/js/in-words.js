// <div data-words="{English: other}">: Swagger UI speaks English alone. What it says itself is put into other words as
// it draws; what our document says, and what a route answers, stays as it is.
const place = document.querySelector('[data-words]');
const NOT_ITS_OWN = 'pre, code, .renderedMarkdown, .opblock-summary-path, .parameter__name, .json-schema-2020-12__title';
const ATTRIBUTES = ['aria-label', 'title', 'placeholder'];

const inWords = (place, words) => {
  const text = (node) => {
    const word = node.data.trim();
    const element = node.parentElement;
    if (!Object.hasOwn(words, word) || !element || element.closest(NOT_ITS_OWN)) return;
    node.data = node.data.replace(word, () => words[word]);
  };
  const attributes = (element) => {
    for (const name of ATTRIBUTES) {
      const word = element.getAttribute(name);
      if (word !== null && Object.hasOwn(words, word)) element.setAttribute(name, words[word]);
    }
  };
  const all = (node) => {
    if (node.nodeType === Node.TEXT_NODE) text(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    attributes(node);
    const inside = document.createTreeWalker(node, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    while (inside.nextNode()) {
      if (inside.currentNode.nodeType === Node.TEXT_NODE) text(inside.currentNode);
      else attributes(inside.currentNode);
    }
  };

  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === 'characterData') text(target);
      else if (type === 'attributes') attributes(target);
      else addedNodes.forEach(all);
    }
  }).observe(place, { childList: true, subtree: true, characterData: true, attributeFilter: ATTRIBUTES });
};

if (place && place.dataset.words !== '{}') inWords(place, JSON.parse(place.dataset.words));
