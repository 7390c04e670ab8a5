// A certified OpenID provider with a sign-in page, behind a proxy that terminates TLS. Its access tokens are
// RFC 9068 JWTs with the claims `email`, `name` and `groups`. A resource indicator selects the gateway as audience.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { parse } from 'node:querystring';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

// The library's notices are meant for production use.
console.info = console.warn = () => {};

export const AUDIENCE = 'tenantry';
export const RESOURCE = 'https://api.example/graphql';

const SCOPES = 'openid profile email groups offline_access';
const USER_GROUPS = {
  ada: ['platform-admins'],
  bob: ['tenant:acme:owner'],
  carol: ['tenant:acme'],
  mallory: [],
};

const claimsOf = (userName) => ({
  name: userName[0].toUpperCase() + userName.slice(1),
  email: `${userName}@example.org`,
  groups: USER_GROUPS[userName],
});

const page = (title, form) => `<!doctype html><html lang="en"><meta charset="utf-8">
<link rel="icon" href="data:,"><title>${title}</title><h1>${title}</h1>${form}</html>`;

export class IdentityProvider {
  /** Starts listening. The provider can respond only after `configure`. */
  static async listen() {
    const provider = new IdentityProvider();
    provider.server = createServer((request, response) => provider.handle(request, response));
    await new Promise((resolve) => provider.server.listen(0, '127.0.0.1', resolve));
    provider.port = provider.server.address().port;
    return provider;
  }

  constructor() {
    /** All access, refresh and ID tokens that were issued. */
    this.tokens = [];
    /** The number of access tokens that were issued for a refresh token. */
    this.renewals = 0;
    /** The lifetime in seconds of an access token that a sign-in issues. */
    this.lifetime = 600;
    /** The lifetime in seconds of an access token that a renewal issues. */
    this.renewedLifetime = 600;
    /** The audience of access tokens. */
    this.audience = AUDIENCE;
  }

  configure(issuer, portalOrigin) {
    this.issuer = issuer;
    this.clientSecret = randomBytes(24).toString('hex');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.provider = new Provider(issuer, {
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'portal-tests', use: 'sig', alg: 'RS256' }] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      clients: [
        {
          client_id: 'portal',
          client_secret: this.clientSecret,
          grant_types: ['authorization_code', 'refresh_token'],
          redirect_uris: [`${portalOrigin}/auth/oidc/callback`],
          post_logout_redirect_uris: [`${portalOrigin}/`],
        },
        {
          client_id: 'ada',
          client_secret: this.clientSecret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      scopes: SCOPES.split(' '),
      claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
      conformIdTokenClaims: true,
      pkce: { required: () => true },
      // A refresh token can be used only once. Using it again ends the session.
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
            const button = '<button form="op.logoutForm" name="logout" value="yes">Sign out at the provider</button>';
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
      if (context.oidc?.route === 'token') this.recordTokens(context.oidc.params, context.body);
    });
  }

  recordTokens(parameters, body) {
    for (const kind of ['access_token', 'refresh_token', 'id_token']) {
      if (body?.[kind]) this.tokens.push(body[kind]);
    }
    if (parameters?.grant_type === 'refresh_token' && body?.access_token) this.renewals += 1;
  }

  handle(request, response) {
    const isInteraction = /^\/interaction\//.test(request.url);
    const handled = isInteraction ? this.interact(request, response) : this.provider.callback()(request, response);
    Promise.resolve(handled).catch((error) => response.writeHead(500).end(String(error)));
  }

  /** Serves the sign-in page. A sign-in also grants the scopes that the client requests. */
  async interact(request, response) {
    const { params } = await this.provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      const form = `<form method="post"><label>Name <input name="user" autofocus></label>
        <button>Sign in</button> <button name="deny" value="yes">Deny</button></form>`;
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page('Identity provider', form));
      return;
    }
    const { user, deny } = parse(await text(request));
    const result = deny || !USER_GROUPS[user] ? { error: 'access_denied' } : await this.grant(user, params);
    await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  async grant(user, params) {
    const grant = new this.provider.Grant({ accountId: user, clientId: params.client_id });
    grant.addOIDCScope(SCOPES);
    grant.addResourceScope(RESOURCE, '');
    return { login: { accountId: user }, consent: { grantId: await grant.save() } };
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
