// A certified OpenID provider over TLS, for tests: `node provider.mjs CERTIFICATE KEY`.
//
// Says where it is on standard output, as one line of JSON. Each line on standard input is a command
// and has one line of JSON as its answer:
//   rotate   signs with a new key from now on, and publishes no other
//   quit     ends; so does the end of the input
//
// Tokens are RFC 9068 access tokens by the client credentials grant: a client's identifier is the
// subject, and its e-mail, name and groups are claims.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Standard output is for answers: the provider's notices go elsewhere.
console.info = console.warn = console.error;

const AUDIENCE = 'tenantry';
const RESOURCE = 'https://portal.example/graphql';
const PEOPLE = {
  bob: ['tenant:dezky:owner'],
  mallory: [],
};

const [certificate, key] = process.argv.slice(2);
let provider;
const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  (request, response) => provider.callback()(request, response),
);

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

function start(issuer) {
  const jwk = signingKey();
  const clients = Object.keys(PEOPLE).map((client_id) => ({
    client_id,
    client_secret: 'not-a-secret',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }));
  provider = new Provider(issuer, {
    clients,
    jwks: { keys: [jwk] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        getResourceServerInfo: () => ({
          scope: '',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_context, token) => ({
      groups: PEOPLE[token.clientId],
      email: `${token.clientId}@example.org`,
      name: token.clientId,
    }),
  });
  return jwk.kid;
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

server.listen(0, '127.0.0.1', () => {
  const issuer = `https://localhost:${server.address().port}`;
  say({ issuer, kid: start(issuer) });
  const commands = createInterface({ input: process.stdin });
  commands.on('line', (command) => {
    if (command === 'rotate') say({ issuer, kid: start(issuer) });
    else process.exit(0);
  });
  commands.on('close', () => process.exit(0));
});
