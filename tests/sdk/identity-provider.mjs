// An identity provider: SAML by samlify, keys made at the start, and anybody may sign in who knows the one
// password. See tests/journeys/identity_provider.py.
//
// It is several providers at once, each under the path of its name, which differ in how requests reach them and
// in whether they must be signed. Prints where they are, and ends when its standard input does.
import {createHash, generateKeyPairSync, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';

import * as schema from '@authenio/samlify-node-xmllint';
import forge from 'node-forge';
import samlify from 'samlify';

const {Extractor, IdentityProvider, SamlLib, ServiceProvider} = samlify;
const PASSWORD = 'a password at the provider';
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const UNSPECIFIED = 'urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified';
const BINDINGS = {
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
};
const KINDS = {
  redirect: ['redirect', false],
  'redirect-signed': ['redirect', true],
  post: ['post', false],
  'post-signed': ['post', true],
  'by-hand': ['redirect', true],
};
const AUTHN_STATEMENT =
  '<saml:AuthnStatement AuthnInstant="{AuthnInstant}" SessionIndex="{SessionIndex}"><saml:AuthnContext>' +
  '<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport' +
  '</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>';

// Every message that comes in is held against the schemas of OASIS. The first time takes seconds: now, then.
samlify.setSchemaValidator(schema);
await schema.validate(
  '<AuthnRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0" IssueInstant="2030-01-01T00:00:00Z"/>',
);

class Refused extends Error {}

class Provider {
  constructor(address, binding, signed) {
    this.address = address;
    this.binding = binding;
    this.clock = 0; // seconds that its clock is ahead
    this.pending = new Map(); // sign-ins that wait for a password
    this.sessions = new Map();
    this.seen = []; // what it was asked
    const pair = keyPair();
    this.saml = IdentityProvider({
      entityID: `${address}/metadata`,
      privateKey: pair.key,
      signingCert: pair.certificate,
      nameIDFormat: [PERSISTENT],
      singleSignOnService: [{Binding: BINDINGS[binding], Location: `${address}/sso`}],
      singleLogoutService: [{Binding: BINDINGS[binding], Location: `${address}/slo`}],
      wantAuthnRequestsSigned: signed,
      wantLogoutRequestSigned: true,
      wantLogoutResponseSigned: true,
      loginResponseTemplate: {
        context: SamlLib.defaultLoginResponseTemplate.context.replace('{AuthnStatement}', AUTHN_STATEMENT),
        attributes: [{name: 'email', valueTag: 'email', nameFormat: UNSPECIFIED, valueXsiType: 'xs:string'}],
      },
    });
  }

  now(seconds = 0) {
    return new Date(Date.now() + (this.clock + seconds) * 1000).toISOString();
  }

  // --- What it is told by those who run it ---

  metadata() {
    return {type: 'application/samlmetadata+xml', body: this.saml.getMetadata()};
  }

  // The other side is learnt from its metadata, at the address that is sent here.
  async learn({body}) {
    const answer = await fetch(body.metadata);
    if (!answer.ok) throw new Refused(`no metadata: ${answer.status}`);
    this.sp = ServiceProvider({
      metadata: await answer.text(),
      wantLogoutRequestSigned: true,
      wantLogoutResponseSigned: true,
      // With this one, the Response is signed as well as the assertion in it.
      wantMessageSigned: this.binding === 'post',
    });
    return {body: this.sp.entityMeta.getEntityID()};
  }

  setClock({body}) {
    this.clock = Number(body.seconds);
    return {body: ''};
  }

  whatWasSeen() {
    return {type: 'application/json', body: JSON.stringify(this.seen)};
  }

  // --- Signing in ---

  async asked(request) {
    const parsed = await this.saml.parseLoginRequest(this.sp, this.binding, request);
    const {issuer, signature, request: about} = parsed.extract;
    const [id, destination, acs] = [about.id, about.destination, about.assertionConsumerServiceUrl];
    if (issuer !== this.sp.entityMeta.getEntityID()) throw new Refused(`a stranger: ${issuer}`);
    if (destination !== `${this.address}/sso`) throw new Refused(`for somebody else: ${destination}`);
    if (acs !== this.sp.entityMeta.getAssertionConsumerService('post')) throw new Refused(`to nowhere: ${acs}`);
    const {force} = Extractor.extract(parsed.samlContent, [
      {key: 'force', localPath: ['AuthnRequest'], attributes: ['ForceAuthn']},
    ]);
    const forced = force === 'true' || force === '1';
    this.seen.push({signed: Boolean(parsed.sigAlg || signature), forced});
    return this.signIn(request, {id, relayState: request.values.RelayState, forced});
  }

  start(request) {
    return this.signIn(request, {relayState: request.values.RelayState});
  }

  signIn(request, asked) {
    const session = this.sessions.get(request.session);
    if (session && !asked.forced) return this.answer(session, asked);
    const key = randomUUID();
    this.pending.set(key, asked);
    return form(key);
  }

  async passwordTyped({body}) {
    const asked = this.pending.get(body.pending);
    if (!asked) throw new Refused('nobody asked for this sign-in');
    if (body.password !== PASSWORD) return form(body.pending, 'This password is wrong.');
    this.pending.delete(body.pending);
    const session = {
      email: body.email,
      nameId: createHash('sha256').update(body.email.toLowerCase()).digest('hex'),
      index: `_${randomUUID()}`,
      since: this.now(),
    };
    const key = randomUUID();
    this.sessions.set(key, session);
    return {...(await this.answer(session, asked)), session: key};
  }

  async answer(session, {id, relayState}) {
    const acs = this.sp.entityMeta.getAssertionConsumerService('post');
    const tags = {
      ID: `_${randomUUID()}`,
      AssertionID: `_${randomUUID()}`,
      Destination: acs,
      SubjectRecipient: acs,
      Audience: this.sp.entityMeta.getEntityID(),
      Issuer: this.saml.entityMeta.getEntityID(),
      IssueInstant: this.now(),
      StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
      ConditionsNotBefore: this.now(),
      ConditionsNotOnOrAfter: this.now(300),
      SubjectConfirmationDataNotOnOrAfter: this.now(300),
      NameIDFormat: PERSISTENT,
      NameID: session.nameId,
      InResponseTo: id, // left out where nobody asked
      AuthnInstant: session.since,
      SessionIndex: session.index,
      attrEmail: session.email,
    };
    const made = await this.saml.createLoginResponse(this.sp, {}, 'post', {}, {
      customTagReplacement: (template) => ({id: tags.ID, context: SamlLib.replaceTagsByValue(template, tags)}),
    });
    return posted(acs, {SAMLResponse: made.context, RelayState: relayState});
  }

  // --- Single logout ---

  async logout(request) {
    if (request.values.SAMLResponse) {
      await this.saml.parseLogoutResponse(this.sp, request.binding, request);
      return page('Signed out everywhere');
    }
    const {extract} = await this.saml.parseLogoutRequest(this.sp, request.binding, request);
    const session = this.sessions.get(request.session);
    if (!session) throw new Refused('nobody is signed in');
    if (extract.nameID !== session.nameId) throw new Refused('somebody else is signed in');
    if (extract.sessionIndex !== session.index) throw new Refused('this is another session');
    this.sessions.delete(request.session);
    return redirect(
      this.saml.createLogoutResponse(this.sp, {extract}, 'redirect', {relayState: request.values.RelayState}),
    );
  }

  // Somebody signs out here first.
  leave(request) {
    const session = this.sessions.get(request.session);
    if (!session) return page('Nobody is signed in');
    this.sessions.delete(request.session);
    const user = {logoutNameID: session.nameId, sessionIndex: session.index};
    return redirect(this.saml.createLogoutRequest(this.sp, 'redirect', user, {relayState: 'left'}));
  }

  whoIsSignedIn(request) {
    return page(this.sessions.get(request.session)?.email ?? 'Nobody is signed in');
  }
}

const ROUTES = {
  'GET /metadata': Provider.prototype.metadata,
  'POST /service-provider': Provider.prototype.learn,
  'POST /clock': Provider.prototype.setClock,
  'GET /seen': Provider.prototype.whatWasSeen,
  'GET /sso': Provider.prototype.asked,
  'POST /sso': Provider.prototype.asked,
  'POST /password': Provider.prototype.passwordTyped,
  'GET /start': Provider.prototype.start,
  'GET /slo': Provider.prototype.logout,
  'POST /slo': Provider.prototype.logout,
  'GET /leave': Provider.prototype.leave,
  'GET /': Provider.prototype.whoIsSignedIn,
};

function keyPair() {
  const {privateKey, publicKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
  const key = privateKey.export({type: 'pkcs8', format: 'pem'});
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey.export({type: 'spki', format: 'pem'}));
  certificate.serialNumber = `01${randomUUID().replaceAll('-', '')}`;
  certificate.validity.notBefore = new Date(Date.now() - 24 * 3600 * 1000);
  certificate.validity.notAfter = new Date(Date.now() + 365 * 24 * 3600 * 1000);
  const name = [{name: 'commonName', value: 'Identity provider of the tests'}];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(forge.pki.privateKeyFromPem(key), forge.md.sha256.create());
  return {key, certificate: forge.pki.certificateToPem(certificate)};
}

// --- Pages ---

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function page(title, content = '') {
  return {
    body: `<!doctype html><html lang="en"><title>${escaped(title)}</title><link rel="icon" href="data:,">
<h1>${escaped(title)}</h1>${content}</html>`,
  };
}

function form(pending, problem = '') {
  return page(
    'Sign in at the provider',
    `<p>${escaped(problem)}</p><form method="post" action="password"><input type="hidden" name="pending" value="${pending}">
<label>Email <input name="email"></label><label>Password <input name="password" type="password"></label>
<button>Sign in</button></form>`,
  );
}

function posted(action, fields) {
  const inputs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`);
  return page(
    'Going back',
    `<form method="post" action="${escaped(action)}">${inputs.join('')}<noscript><button>Continue</button></noscript></form>
<script>document.forms[0].submit()</script>`,
  );
}

function redirect(made) {
  return {status: 302, headers: {Location: made.context}, body: ''};
}

// --- The server ---

async function read(incoming) {
  const url = new URL(incoming.url, 'http://localhost');
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const query = Object.fromEntries(url.searchParams);
  const body = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
  // What a signature in an address is made over: the parameters as they were written (SAML bindings 3.4.4.1).
  const written = new Map(url.search.slice(1).split('&').map((part) => [part.split('=')[0], part]));
  const signed = ['SAMLRequest', 'SAMLResponse', 'RelayState', 'SigAlg'].map((name) => written.get(name));
  return {
    path: url.pathname,
    binding: incoming.method === 'POST' ? 'post' : 'redirect',
    query,
    body,
    values: {...query, ...body},
    octetString: signed.filter(Boolean).join('&'),
    session: /(?:^|; )provider=([^;]+)/.exec(incoming.headers.cookie ?? '')?.[1],
  };
}

const providers = new Map();

async function handle(incoming) {
  const request = await read(incoming);
  const [, name, rest] = /^\/([a-z-]+)(\/.*)$/.exec(request.path) ?? [];
  const provider = providers.get(name);
  const route = ROUTES[`${incoming.method} ${rest}`];
  if (!provider || !route) return {status: 404, body: ''};
  const answer = await route.call(provider, request);
  if (answer.session) {
    // None, because a request comes by POST from another site.
    const cookie = `provider=${answer.session}; Path=/${name}/; HttpOnly; Secure; SameSite=None`;
    answer.headers = {...answer.headers, 'Set-Cookie': cookie};
  }
  return answer;
}

const server = createServer((incoming, outgoing) => {
  handle(incoming)
    .catch((error) => ({...page('Refused', `<p>${escaped(error.message ?? error)}</p>`), status: 400}))
    .then(({status = 200, type = 'text/html; charset=utf-8', headers = {}, body}) => {
      outgoing.writeHead(status, {'Content-Type': type, 'Cache-Control': 'no-store', ...headers});
      outgoing.end(body);
    });
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  // By this name it is another site than the server under test, as providers are.
  const address = `http://localhost:${server.address().port}`;
  for (const [name, [binding, signed]] of Object.entries(KINDS)) {
    providers.set(name, new Provider(`${address}/${name}`, binding, signed));
  }
  process.stdout.write(`${JSON.stringify({address, names: [...providers.keys()], password: PASSWORD})}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
