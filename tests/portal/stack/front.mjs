// What browsers reach: Caddy with TLS, before the provider and the built portal.

import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { RESOURCE } from './provider.mjs';
import { withFreePorts } from './database.mjs';
import { Running } from './process.mjs';

const caddyfile = ({ portal, identity, upstream, socket, certificate, key }) => `{
  admin off
  auto_https off
  servers {
    protocols h1 h2
  }
}
https://portal.localhost:${portal} {
  bind 127.0.0.1
  tls ${certificate} ${key}
  reverse_proxy unix/${socket}
}
https://localhost:${identity} {
  bind 127.0.0.1
  tls ${certificate} ${key}
  reverse_proxy 127.0.0.1:${upstream}
}
`;

/** Starts Caddy; answers the origins that it serves, and the socket where the portal is expected. */
export function startCaddy(folder, { certificate, key, upstream }) {
  return withFreePorts(2, async (portal, identity) => {
    const socket = join(folder, 'portal.sock');
    const config = join(folder, 'Caddyfile');
    await writeFile(config, caddyfile({ portal, identity, upstream, socket, certificate, key }));
    const command = ['caddy', 'run', '--adapter', 'caddyfile', '--config', config];
    const caddy = new Running('caddy (where it is not there, run scripts/fetch-caddy)', command, { cwd: folder });
    await caddy.line((line) => line.includes('serving initial configuration'));
    return {
      caddy,
      socket,
      portal: `https://portal.localhost:${portal}`,
      identity: `https://localhost:${identity}`,
    };
  });
}

/** The command that starts the built portal. */
export async function portalCommand(home) {
  const server = join(home, '.output/server/index.mjs');
  await access(server).catch(() => {
    throw new Error('the chain needs the built portal. Run: npm run build, in examples/portal');
  });
  return [process.execPath, server];
}

/** Starts it on a socket. */
export async function startPortal(home, { socket, portal, identity, secret, gateway, root }) {
  const command = await portalCommand(home);
  const provider = {
    CLIENT_ID: 'portal',
    CLIENT_SECRET: secret,
    REDIRECT_URI: `${portal}/auth/oidc/callback`,
    AUTHORIZATION_URL: `${identity}/auth`,
    TOKEN_URL: `${identity}/token`,
    OPEN_ID_CONFIGURATION: `${identity}/.well-known/openid-configuration`,
    LOGOUT_URL: `${identity}/session/end`,
    LOGOUT_REDIRECT_URI: `${portal}/`,
    AUDIENCE: 'tenantry',
    ADDITIONAL_AUTH_PARAMETERS: JSON.stringify({ resource: RESOURCE }),
    ADDITIONAL_TOKEN_PARAMETERS: JSON.stringify({ resource: RESOURCE }),
    ADDITIONAL_LOGOUT_PARAMETERS: JSON.stringify({ clientId: 'portal' }),
  };
  const env = {
    NODE_EXTRA_CA_CERTS: root,
    NITRO_UNIX_SOCKET: socket,
    NUXT_GATEWAY_URL: gateway,
    NUXT_OIDC_TOKEN_KEY: randomBytes(32).toString('base64'),
    NUXT_OIDC_SESSION_SECRET: randomBytes(32).toString('hex'),
    NUXT_OIDC_AUTH_SESSION_SECRET: randomBytes(32).toString('hex'),
  };
  for (const [name, value] of Object.entries(provider)) env[`NUXT_OIDC_PROVIDERS_OIDC_${name}`] = value;
  const running = new Running('the portal', command, { env });
  await running.line((line) => line.includes('Listening on'));
  return running;
}
