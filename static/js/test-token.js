// <form data-test-secret="#field">: tests the secret that is on the page, unless another was typed.
document.addEventListener('submit', (event) => {
  const { testSecret } = event.target.dataset;
  const typed = event.target.elements.secret;
  if (!testSecret || !typed || typed.value) return;
  typed.value = document.querySelector(testSecret)?.value ?? '';
  // Sent by then: the copy stays in the page no longer than needed.
  setTimeout(() => { typed.value = ''; });
});

// <form data-test-answer>: sends what the sign-in has put behind the #, and takes it out of the address.
const form = document.querySelector('[data-test-answer]');
if (form && /[#&](access_token|error)=/.test(location.hash)) {
  form.elements.secret_answer.value = location.href;
  history.replaceState(null, '', location.pathname);
  form.requestSubmit();
}
