// <div data-api-explorer data-style data-script data-mends data-schema data-client-id data-redirect-uri data-scopes
// data-chosen hidden>: Swagger UI on our document, which signs in through the client that the page names. It weighs ten
// times as much as a page, so it comes when the button in [data-explore] asks for it.
const place = document.querySelector('[data-api-explorer]');
const SCHEME = 'PureCloud-OAuth';
const PASTED = 'Token';

// The document as this page can use it: from the address that the page has itself, one way to sign in, with
// the scopes that the client may ask for, and a token of somebody else's making as another way in.
const adapted = (document, { clientId, scopes }) => {
  const securitySchemes = { [PASTED]: { type: 'http', scheme: 'bearer' }, ...document.components.securitySchemes };
  document.components.securitySchemes = securitySchemes;
  document.servers = [{ url: location.origin }];
  const { authorizationCode } = securitySchemes[SCHEME].flows;
  const offered = new Set(scopes.split(' '));
  authorizationCode.authorizationUrl = `${location.origin}/oauth/authorize`;
  authorizationCode.tokenUrl = `${location.origin}/oauth/token`;
  delete authorizationCode.refreshUrl;
  authorizationCode.scopes = Object.fromEntries(
    Object.entries(authorizationCode.scopes).filter(([name]) => offered.has(name)),
  );
  securitySchemes[SCHEME].flows = { authorizationCode };
  if (!clientId) delete securitySchemes[SCHEME];
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods)) {
      operation.security = [...(clientId ? operation.security : []), { [PASTED]: [] }];
    }
  }
  return document;
};

// Ends when the browser has it; asked again, only what it has not. Our style, which is there, has the last word.
const there = new Map();
const loaded = (name, attributes) => {
  const address = attributes.href ?? attributes.src;
  if (!there.has(address)) {
    there.set(address, new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement(name), attributes);
      element.addEventListener('load', resolve);
      element.addEventListener('error', () => { there.delete(address); element.remove(); reject(new Error(address)); });
      document.querySelector('link[href*="api-explorer"]').before(element);
    }));
  }
  return there.get(address);
};

const start = async () => {
  const { style, script, mends, schema } = place.dataset;
  const [answer] = await Promise.all([
    fetch(schema, { credentials: 'same-origin' }),
    loaded('link', { rel: 'stylesheet', href: style }),
    loaded('script', { type: 'module', src: mends }),
    loaded('script', { src: script }),
  ]);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const { clientId, redirectUri, chosen } = place.dataset;
  const ui = window.SwaggerUIBundle({
    domNode: place,
    spec: adapted(await answer.json(), place.dataset),
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [inOurFrame],
    layout: 'FramedLayout',
    docExpansion: 'none',
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    tryItOutEnabled: true,
    validatorUrl: null,
    oauth2RedirectUrl: redirectUri,
    // With the token alone, as a program would: not with the cookie of the console.
    requestInterceptor: (request) => Object.assign(request, { credentials: 'omit' }),
  });
  ui.initOAuth({
    clientId,
    scopes: chosen,
    usePkceWithAuthorizationCodeGrant: true,
  });
};

// Swagger UI has a dark side as well, with a switch of its own, which follows ours.
const dark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;
const follow = () => {
  root.classList.toggle('dark-mode', root.dataset.theme ? root.dataset.theme === 'dark' : dark.matches);
};

// Swagger UI's own layout takes the page for its own, with a title and a main part.
const inOurFrame = ({ React: { createElement } }) => ({
  components: {
    FramedLayout: ({ getComponent }) => {
      const part = (name) => createElement(getComponent(name, true));
      return createElement(
        'div',
        { className: 'swagger-ui' },
        createElement(getComponent('SvgAssets')),
        createElement('div', { className: 'scheme-container' }, part('AuthorizeBtnContainer')),
        part('FilterContainer'),
        part('errors'),
        createElement('div', { className: 'wrapper' }, part('operations')),
      );
    },
  },
});

if (place) {
  const door = document.querySelector('[data-explore]');
  const failed = document.querySelector('[data-explore-failed]');
  const button = door.querySelector('button');
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return;
    button.ariaBusy = 'true';
    failed.textContent = '';
    try {
      await start();
      follow();
      dark.addEventListener('change', follow);
      new MutationObserver(follow).observe(root, { attributeFilter: ['data-theme'] });
      place.hidden = false;
      door.hidden = true;
      place.parentElement.focus();
    } catch {
      failed.textContent = failed.dataset.exploreFailed;
      button.ariaBusy = 'false';
    }
  });
}
