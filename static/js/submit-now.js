// <form data-submit-now>: sends itself; without JavaScript its button does.
document.querySelector('form[data-submit-now]')?.submit();
