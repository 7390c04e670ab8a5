// A certified OpenID provider over TLS, for tests: `node provider.mjs CERTIFICATE KEY`.
//
// Prints its issuer and the `kid` of its key as one line of JSON on standard output. Each line of
// standard input is a command:
//   rotate   replaces the signing key by a new one, and prints a line as at the start
//   quit     exits, as does the end of the input
//
// Tokens are RFC 9068 access tokens of the client credentials grant. The subject is the client's
// identifier. The e-mail address, the name and the groups are claims.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Standard output is for replies, so the provider's notices go to standard error.
console.info = console.warn = console.error;

const AUDIENCE = 'tenantry';
const RESOURCE = 'https://portal.example/graphql';
const GROUPS = {
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
  const clients = Object.keys(GROUPS).map((client_id) => ({
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
      groups: GROUPS[token.clientId],
      email: `${token.clientId}@example.org`,
      name: token.clientId,
    }),
  });
  return jwk.kid;
}

const reply = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

server.listen(0, '127.0.0.1', () => {
  const issuer = `https://localhost:${server.address().port}`;
  reply({ issuer, kid: start(issuer) });
  const commands = createInterface({ input: process.stdin });
  commands.on('line', (command) => {
    if (command === 'rotate') reply({ issuer, kid: start(issuer) });
    else process.exit(0);
  });
  commands.on('close', () => process.exit(0));
});
