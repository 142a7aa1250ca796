// <details data-menu>: one open at a time; closes on outside click, Esc and when focus leaves.
// <a data-drawer-open="id of the aside" href="#id">: shows its navigation in a dialog drawer.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll('details[data-menu][open]')) if (menu !== except) menu.open = false;
};

document.addEventListener('click', (event) => {
  const menu = event.target.closest('details[data-menu]');
  closeMenus(event.target.closest('summary') ? menu : event.target.closest('form, .menu-head') && menu);
});

document.addEventListener('focusin', (event) => {
  closeMenus(event.target.closest('details[data-menu]'));
});

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('details[data-menu]');
  if (!menu) return;
  const items = [...menu.querySelectorAll('.menu-list :is(a, button)')];
  if (event.key === 'Escape' && menu.open) {
    event.preventDefault();
    menu.open = false;
    menu.querySelector('summary').focus();
  } else if (['ArrowDown', 'ArrowUp'].includes(event.key) && items.length) {
    event.preventDefault();
    menu.open = true;
    const step = event.key === 'ArrowDown' ? 1 : -1;
    const at = items.indexOf(document.activeElement);
    items.at(at < 0 ? (step > 0 ? 0 : -1) : (at + step) % items.length).focus();
  }
});

for (const opener of document.querySelectorAll('[data-drawer-open]')) {
  const home = document.getElementById(opener.dataset.drawerOpen);
  const menu = home?.firstElementChild;
  const drawer = document.querySelector('dialog[data-drawer]');
  if (!menu || !drawer) continue;
  opener.setAttribute('role', 'button');
  opener.setAttribute('aria-haspopup', 'dialog');
  const open = (event) => {
    event.preventDefault();
    drawer.append(menu);
    drawer.showModal();
  };
  opener.addEventListener('click', open);
  opener.addEventListener('keydown', (event) => { if (event.key === ' ') open(event); });
  drawer.addEventListener('close', () => {
    home.append(menu);
    opener.focus();
  });
  drawer.addEventListener('click', (event) => {
    const box = drawer.getBoundingClientRect();
    const outside = event.target === drawer && (event.clientX > box.right || event.clientX < box.left);
    if (outside || event.target.closest('[data-drawer-close]')) drawer.close();
  });
  matchMedia('(width >= 56.25rem)').addEventListener('change', (query) => { if (query.matches) drawer.close(); });
}
