// <form data-leave-guard>: asks before leaving with unsaved changes.
// [data-leave-guard-secret="dialog id"]: guards until the secret was copied or a
// [data-secures] box ticked; links and forms that lead away open the named dialog instead.
let submitting = false;
let secured = false;
const dirty = new Set();

for (const form of document.querySelectorAll('form[data-leave-guard]')) {
  if ('dirty' in form.dataset) dirty.add(form);
  const mark = (event) => {
    if (event.target.name) dirty.add(form);
  };
  form.addEventListener('input', mark);
  form.addEventListener('change', mark);
  form.addEventListener('latchkey:saved', () => dirty.delete(form));
}

const secret = () => !secured && document.querySelector('[data-leave-guard-secret]');

const ask = (event) => {
  const id = secret().dataset.leaveGuardSecret;
  const opener = id && document.querySelector(`[data-dialog-open="${CSS.escape(id)}"]`);
  if (!opener) return; // the browser asks
  event.preventDefault();
  opener.click();
};

document.addEventListener('latchkey:secured', () => { secured = true; });
document.addEventListener('change', (event) => {
  if (event.target.matches('input[data-secures]')) secured = event.target.checked;
});

// Only the guarded form, or one in a dialog that told what it does, may leave without a question.
window.addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (!form.matches('[data-leave-guard]') && !form.closest('dialog')) {
    if (secret() && form.target !== '_blank') ask(event); // a new tab leaves this page where it is
    return;
  }
  submitting = true;
  setTimeout(() => { submitting = false; }, 10000);
});

window.addEventListener('beforeunload', (event) => {
  if (!submitting && (dirty.size || secret())) event.preventDefault();
});

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (!link || event.defaultPrevented || !secret()) return;
  const elsewhere = link.origin !== location.origin || link.target || link.hasAttribute('download');
  const inPage = link.hash && link.pathname === location.pathname;
  const handled = link.matches('[data-dialog], [data-dialog-open], [data-dialog-close], [data-drawer-open]');
  if (!elsewhere && !inPage && !handled) ask(event);
}, true);
