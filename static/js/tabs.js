// <div data-tabs data-tabs-label="…"> with <details><summary>name</summary>…</details>: becomes a list of tabs.
let serial = 0;

const attach = (box) => {
  const parts = [...box.querySelectorAll(':scope > details')];
  if (parts.length < 2) return;
  const list = document.createElement('div');
  list.setAttribute('role', 'tablist');
  if (box.dataset.tabsLabel) list.setAttribute('aria-label', box.dataset.tabsLabel);

  const tabs = parts.map((part) => {
    serial += 1;
    const tab = document.createElement('button');
    const panel = document.createElement('div');
    tab.type = 'button';
    tab.id = `tab-${serial}`;
    tab.textContent = part.querySelector('summary').textContent.trim();
    tab.setAttribute('role', 'tab');
    panel.id = `panel-${serial}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', tab.id);
    tab.setAttribute('aria-controls', panel.id);
    part.querySelector('summary').remove();
    panel.append(...part.childNodes);
    part.replaceWith(panel);
    list.append(tab);
    return { tab, panel };
  });

  const choose = (wanted, focus) => {
    for (const { tab, panel } of tabs) {
      const chosen = tab === wanted;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      panel.hidden = !chosen;
    }
    if (focus) wanted.focus();
  };

  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) choose(tab);
  });
  list.addEventListener('keydown', (event) => {
    const all = tabs.map(({ tab }) => tab);
    const at = all.indexOf(event.target);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    choose(all.at(next % all.length), true);
  });

  box.prepend(list);
  choose(tabs[0].tab);
};

const init = (root) => root.querySelectorAll('[data-tabs]').forEach(attach);
init(document);
document.addEventListener('latchkey:content', (event) => init(event.detail.root));
