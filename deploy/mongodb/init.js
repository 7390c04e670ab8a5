// Creates a replica set of one node, and the gateway's user with the least privileges that it needs.
// mongosh runs this file without a connection: `mongosh --nodb --file init.js`. Existing objects stay
// unchanged, except for the privileges and the password of the user, which are always set.
//
//   MONGODB_HOST                     host:port, as clients reach it (mongodb:27017)
//   MONGODB_DATABASE                 the gateway's database (tenantry)
//   MONGODB_ROOT_PASSWORD_FILE       a file with the password of the user `root` in `admin`
//   MONGODB_GATEWAY_PASSWORD_FILE    a file with the password to set for the user `tenantry`

/* global process, require, Mongo, sleep, print, quit */
const { readFileSync } = require('fs');

const host = process.env.MONGODB_HOST || 'mongodb:27017';
const name = process.env.MONGODB_DATABASE || 'tenantry';
const secret = (variable) => readFileSync(process.env[variable], 'utf8').trim();

const NOT_INITIALIZED = 94;
const NOT_FOUND = [11, 31]; // UserNotFound, RoleNotFound
const MAX_RETRIES = 60; // one per second

/** Calls `attempt` once a second until it returns a truthy value. */
function retry(what, attempt) {
  for (let left = MAX_RETRIES; ; left -= 1) {
    try {
      const result = attempt();
      if (result) return result;
      if (left === 0) throw new Error(`${what}: no success within ${MAX_RETRIES} seconds`);
    } catch (error) {
      if (left === 0) throw error;
    }
    sleep(1000);
  }
}

function connect() {
  const password = encodeURIComponent(secret('MONGODB_ROOT_PASSWORD_FILE'));
  const url = `mongodb://root:${password}@${host}/admin?directConnection=true&serverSelectionTimeoutMS=2000`;
  const connection = new Mongo(url);
  connection.getDB('admin').runCommand({ ping: 1 });
  return connection;
}

function initiate(admin) {
  try {
    admin.runCommand({ replSetGetStatus: 1 });
  } catch (error) {
    if (error.code !== NOT_INITIALIZED) throw error;
    const members = [{ _id: 0, host }];
    admin.runCommand({ replSetInitiate: { _id: 'rs0', members } });
    print(`initiated rs0 with ${host}`);
  }
  retry('waiting for a primary', () => admin.runCommand({ hello: 1 }).isWritablePrimary);
}

/** Runs `update`, or `create` if the user or role does not exist. */
function updateOrCreate(database, update, create) {
  try {
    database.runCommand(update);
  } catch (error) {
    if (!NOT_FOUND.includes(error.code)) throw error;
    database.runCommand(create);
  }
}

// `auditEvents` is missing here on purpose: an attacker who takes over the gateway can append to the
// audit log, but cannot change it.
const MUTABLE_COLLECTIONS = [
  'tenants',
  'tenantSearchKeys',
  'users',
  'userSearchKeys',
  'subscriptions',
  'invitations',
  'tombstones',
  'requests',
  'outbox',
];
const privileges = [
  {
    resource: { db: name, collection: '' },
    actions: ['find', 'insert', 'createCollection', 'createIndex', 'listIndexes', 'changeStream'],
  },
  ...MUTABLE_COLLECTIONS.map((collection) => ({
    resource: { db: name, collection },
    actions: ['update', 'remove'],
  })),
];

const connection = retry(`connecting to ${host}`, connect);
initiate(connection.getDB('admin'));
const database = connection.getDB(name);
updateOrCreate(
  database,
  { updateRole: 'tenantryGateway', privileges, roles: [] },
  { createRole: 'tenantryGateway', privileges, roles: [] },
);
const user = { pwd: secret('MONGODB_GATEWAY_PASSWORD_FILE'), roles: ['tenantryGateway'] };
updateOrCreate(database, { updateUser: 'tenantry', ...user }, { createUser: 'tenantry', ...user });
print(`granted the user tenantry its privileges in ${name}`);
quit(0);
