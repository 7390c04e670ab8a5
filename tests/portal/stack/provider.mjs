// A certified OpenID provider with a sign-in page, behind a proxy that does its TLS. Its access tokens are
// RFC 9068 JWTs for the gateway, by a resource indicator, with e-mail, name and groups in them.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { parse } from 'node:querystring';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

// Its notices are for those who run one.
console.info = console.warn = () => {};

export const AUDIENCE = 'tenantry';
export const RESOURCE = 'https://api.example/graphql';

const SCOPES = 'openid profile email groups offline_access';
const PEOPLE = {
  ada: ['platform-admins'],
  bob: ['tenant:acme:owner'],
  carol: ['tenant:acme'],
  mallory: [],
};

const claimsOf = (person) => ({
  name: person[0].toUpperCase() + person.slice(1),
  email: `${person}@example.org`,
  groups: PEOPLE[person],
});

const page = (title, form) => `<!doctype html><html lang="en"><meta charset="utf-8">
<link rel="icon" href="data:,"><title>${title}</title><h1>${title}</h1>${form}</html>`;

export class Identity {
  /** Accepts connections, and answers when it is told its issuer and client. */
  static async listen() {
    const identity = new Identity();
    identity.server = createServer((request, response) => identity.answer(request, response));
    await new Promise((resolve) => identity.server.listen(0, '127.0.0.1', resolve));
    identity.port = identity.server.address().port;
    return identity;
  }

  constructor() {
    /** Every token that it has given out, of whatever kind. */
    this.tokens = [];
    /** How many were renewed. */
    this.renewals = 0;
    /** Seconds that the access token of a sign-in is good for. */
    this.lifetime = 600;
    /** And that of a renewal. */
    this.renewedLifetime = 600;
    /** For whom access tokens are. */
    this.audience = AUDIENCE;
  }

  start(issuer, portal) {
    this.issuer = issuer;
    this.secret = randomBytes(24).toString('hex');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.provider = new Provider(issuer, {
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'chain', use: 'sig', alg: 'RS256' }] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      clients: [
        {
          client_id: 'portal',
          client_secret: this.secret,
          grant_types: ['authorization_code', 'refresh_token'],
          redirect_uris: [`${portal}/auth/oidc/callback`],
          post_logout_redirect_uris: [`${portal}/`],
        },
        {
          client_id: 'ada',
          client_secret: this.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      scopes: SCOPES.split(' '),
      claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
      conformIdTokenClaims: true,
      pkce: { required: () => true },
      // A refresh token is good for once: who spends it twice has lost the session.
      rotateRefreshToken: true,
      issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) }),
      extraTokenClaims: (_context, token) => claimsOf(token.accountId ?? token.clientId),
      interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        rpInitiatedLogout: {
          enabled: true,
          logoutSource: (context, form) => {
            const button = '<button form="op.logoutForm" name="logout" value="yes">Sign out here too</button>';
            context.body = page('Sign out', form + button);
          },
        },
        resourceIndicators: {
          enabled: true,
          defaultResource: (_context, client) => (client.clientId === 'ada' ? RESOURCE : undefined),
          useGrantedResource: () => true,
          getResourceServerInfo: (context) => ({
            scope: '',
            audience: this.audience,
            accessTokenFormat: 'jwt',
            accessTokenTTL: context.oidc.params?.grant_type === 'refresh_token' ? this.renewedLifetime : this.lifetime,
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    this.provider.proxy = true;
    this.provider.use(async (context, next) => {
      await next();
      if (context.oidc?.route === 'token') this.note(context.oidc.params, context.body);
    });
  }

  note(parameters, body) {
    for (const kind of ['access_token', 'refresh_token', 'id_token']) {
      if (body?.[kind]) this.tokens.push(body[kind]);
    }
    if (parameters?.grant_type === 'refresh_token' && body?.access_token) this.renewals += 1;
  }

  answer(request, response) {
    const interaction = /^\/interaction\//.test(request.url);
    const answered = interaction ? this.interact(request, response) : this.provider.callback()(request, response);
    Promise.resolve(answered).catch((error) => response.writeHead(500).end(String(error)));
  }

  /** The sign-in page; whoever signs in has agreed to what the client asks for. */
  async interact(request, response) {
    const { params } = await this.provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      const form = `<form method="post"><label>Name <input name="person" autofocus></label>
        <button>Sign in</button> <button name="refuse" value="yes">Refuse</button></form>`;
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page('The provider', form));
      return;
    }
    const { person, refuse } = parse(await text(request));
    const result = refuse || !PEOPLE[person] ? { error: 'access_denied' } : await this.accept(person, params);
    await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  async accept(person, params) {
    const grant = new this.provider.Grant({ accountId: person, clientId: params.client_id });
    grant.addOIDCScope(SCOPES);
    grant.addResourceScope(RESOURCE, '');
    return { login: { accountId: person }, consent: { grantId: await grant.save() } };
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
