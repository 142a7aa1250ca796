// Announcements: document.dispatchEvent(new CustomEvent('latchkey:announce', {detail: {text}})).
// Everything outside an open modal dialog is inert, so the region used is the one inside it.
const regionFor = () => {
  const dialog = [...document.querySelectorAll('dialog:modal')].pop();
  if (!dialog) return document.getElementById('live');
  let region = dialog.querySelector(':scope > [data-live]');
  if (!region) {
    region = document.createElement('div');
    region.dataset.live = '';
    region.className = 'visually-hidden';
    region.setAttribute('role', 'status');
    dialog.append(region);
  }
  return region;
};

document.addEventListener('latchkey:announce', (event) => {
  const region = regionFor();
  if (!region) return;
  region.textContent = '';
  setTimeout(() => { region.textContent = event.detail.text; }, 60);
});
