// A program with the official SDK under Node.js: reads what to do from its standard input, prints what came
// of it. See tests/journeys/test_javascript_sdk.py.
'use strict';

const platformClient = require('purecloud-platform-client-v2');

async function run(asked) {
  const client = platformClient.ApiClient.instance;
  client.config.setGateway(asked.gateway);
  const users = new platformClient.UsersApi();
  const found = {};
  if (asked.code) {
    found.login = {...await client.loginCodeAuthorizationGrant(asked.id, asked.secret, asked.code, asked.redirectUri)};
    found.me = (await users.getUsersMe()).name;
    found.refreshed = {
      ...await client.refreshCodeAuthorizationGrant(asked.id, asked.secret, found.login.refreshToken),
    };
    found.again = (await users.getUsersMe()).name;
    client.setAccessToken('dead'); // the SDK refreshes by itself, and fails this call all the same
    found.failed = await users.getUsersMe().then(() => 200, (error) => error.response.status);
    while (client.authData.accessToken === 'dead') await new Promise((resolve) => setTimeout(resolve, 20));
    found.revived = (await users.getUsersMe()).name;
  } else {
    found.login = {...await client.loginClientCredentialsGrant(asked.id, asked.secret)};
    found.people = (await users.getUsers({pageSize: 5, expand: ['authorization']})).entities.length;
    found.refusal = await users.getUsersMe().then(() => null, (body) => body);
  }
  return found;
}

run(JSON.parse(require('fs').readFileSync(0, 'utf8'))).then(
  (found) => {
    process.stdout.write(JSON.stringify(found), () => process.exit(0));
  },
  (error) => {
    process.stderr.write(`${error.stack || JSON.stringify(error)}\n`, () => process.exit(1));
  },
);
