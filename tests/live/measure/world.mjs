// The data of the measurement: tenants with members, written as an export and read by `tenantry import`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AT = '2026-01-01T00:00:00.000Z';
const hex = (prefix, number) => prefix + number.toString(16).padStart(24 - prefix.length, '0');

/** The identifier of a tenant, as clients and exports use it. */
export const tenantId = (number) => `ten_${hex('6956a0a0', number)}`;
export const userId = (number) => `usr_${hex('6956a0a1', number)}`;
export const subject = (number) => `member-${number}`;
/** The number of the platform admin who makes all changes. */
const ADMIN = 0xffffff;
export const ADMIN_SUBJECT = subject(ADMIN);

/** Imports `tenants` tenants with `members` members each. User n is a member of tenant n % tenants. */
export function importWorld(program, variables, issuer, { tenants, members }) {
  const times = { version: 1, createdAt: AT, updatedAt: AT };
  const lines = [{ format: 'tenantry', version: 1, scope: 'all' }];
  for (let n = 0; n < tenants; n += 1) {
    const tenant = { type: 'tenant', id: tenantId(n), slug: `tenant-${n}`, name: `Tenant ${n}` };
    lines.push({ ...tenant, status: 'active', plan: 'free', domains: [], ...times });
  }
  const user = (n, fields) => {
    const identity = { type: 'user', id: userId(n), issuer, subject: subject(n), name: `Member ${n}` };
    lines.push({ ...identity, disabled: false, memberships: [], ...fields, ...times });
  };
  for (let n = 0; n < tenants * members; n += 1) {
    const membership = { tenantId: tenantId(n % tenants), role: 'member', source: 'direct', since: AT };
    user(n, { memberships: [membership] });
  }
  user(ADMIN, { platformAdminSource: 'direct' });
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-live-'));
  const file = join(folder, 'world.ndjson');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const imported = spawnSync(program, ['import', file], { env: variables, encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  if (imported.status !== 0) throw new Error(`the import failed: ${imported.stderr}`);
}
