// Makes a replica set of one node, and the gateway's user, who has what the gateway needs and no more.
// Run by mongosh without a connection of its own: `mongosh --nodb --file init.js`. What is there is
// left alone, apart from the user's rights and password, which are set anew.
//
//   MONGODB_HOST                     host:port, as clients are to reach it (mongodb:27017)
//   MONGODB_DATABASE                 the gateway's database (tenantry)
//   MONGODB_ROOT_PASSWORD_FILE       the password of the user `root` of `admin`
//   MONGODB_GATEWAY_PASSWORD_FILE    the one that the user `tenantry` is to have

/* global process, require, Mongo, sleep, print, quit */
const { readFileSync } = require('fs');

const host = process.env.MONGODB_HOST || 'mongodb:27017';
const name = process.env.MONGODB_DATABASE || 'tenantry';
const secret = (variable) => readFileSync(process.env[variable], 'utf8').trim();

const NOT_INITIALIZED = 94;
const NOT_FOUND = [11, 31]; // a user, a role
const AWAY = 60; // seconds

/** Asks again, once a second, until there is an answer. */
function patiently(what, ask) {
  for (let left = AWAY; ; left -= 1) {
    try {
      const answer = ask();
      if (answer) return answer;
      if (left === 0) throw new Error(`${what}: not in time`);
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
  patiently('a primary', () => admin.runCommand({ hello: 1 }).isWritablePrimary);
}

/** `update` where it is there, else `create`. */
function put(database, update, create) {
  try {
    database.runCommand(update);
  } catch (error) {
    if (!NOT_FOUND.includes(error.code)) throw error;
    database.runCommand(create);
  }
}

// History is only ever added to: what took over the gateway could not rewrite what it had done.
const CHANGED = ['tenants', 'users', 'subscriptions', 'tombstones', 'requests'];
const privileges = [
  {
    resource: { db: name, collection: '' },
    actions: ['find', 'insert', 'createCollection', 'createIndex', 'listIndexes', 'changeStream'],
  },
  ...CHANGED.map((collection) => ({
    resource: { db: name, collection },
    actions: ['update', 'remove'],
  })),
];

const connection = patiently(host, connect);
initiate(connection.getDB('admin'));
const database = connection.getDB(name);
put(
  database,
  { updateRole: 'tenantryGateway', privileges, roles: [] },
  { createRole: 'tenantryGateway', privileges, roles: [] },
);
const user = { pwd: secret('MONGODB_GATEWAY_PASSWORD_FILE'), roles: ['tenantryGateway'] };
put(database, { updateUser: 'tenantry', ...user }, { createUser: 'tenantry', ...user });
print(`the user tenantry has its rights in ${name}`);
quit(0);
