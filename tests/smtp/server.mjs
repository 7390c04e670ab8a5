// An SMTP server with TLS and authentication, for tests: `node server.mjs CERTIFICATE KEY MODE [PORT]`.
//
// MODE is `smtps`, `starttls` (which the server offers) or `plain` (without TLS). The user is `portal`,
// and the password is `p@ss:word`. Prints one line of JSON with its port, and then one for each event:
//   {"event": "mail", "from", "to", "user", "secure", "data"}   an accepted message
//   {"event": "refused", "code"}                                a recipient or a sender that was refused
//   {"event": "login", "ok"}                                    an attempt to authenticate
// Each line of standard input is a command, which is answered by {"event": "ok"}:
//   refuse CODE COUNT   refuses the next COUNT recipients
//   sender CODE COUNT   refuses the next COUNT senders
//   hold                receives the next message, and never replies to it
//   quit                exits, as does the end of the input

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SMTPServer } from 'smtp-server';

const [certificate, key, mode, port] = process.argv.slice(2);
const reply = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
let refusals = { code: 0, count: 0 };
let senders = { code: 0, count: 0 };
let holds = false;

const server = new SMTPServer({
  cert: readFileSync(certificate),
  key: readFileSync(key),
  secure: mode === 'smtps',
  hideSTARTTLS: mode === 'plain',
  authOptional: true,
  allowInsecureAuth: mode === 'plain',
  disableReverseLookup: true,
  onAuth({ username, password }, _session, done) {
    const ok = username === 'portal' && password === 'p@ss:word';
    reply({ event: 'login', ok });
    if (ok) done(null, { user: username });
    else done(Object.assign(new Error('5.7.8 unknown user or password'), { responseCode: 535 }));
  },
  onMailFrom(_address, _session, done) {
    if (senders.count === 0) return done();
    senders.count -= 1;
    const { code } = senders;
    reply({ event: 'refused', code });
    done(Object.assign(new Error('5.7.1 this sender is refused'), { responseCode: code }));
  },
  onRcptTo(address, _session, done) {
    if (refusals.count === 0) return done();
    refusals.count -= 1;
    const { code } = refusals;
    reply({ event: 'refused', code });
    const enhanced = code >= 500 ? '5.1.1' : '4.2.0';
    done(Object.assign(new Error(`${enhanced} <${address.address}> refused`), { responseCode: code }));
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      const { envelope, user, secure } = session;
      reply({
        event: 'mail',
        from: envelope.mailFrom.address,
        to: envelope.rcptTo.map(({ address }) => address),
        user: user ?? null,
        secure,
        data: Buffer.concat(chunks).toString('utf8'),
      });
      if (!holds) done();
      holds = false;
    });
  },
});
// A client that rejects the certificate ends the connection. That is no error of this server.
server.on('error', () => {});

server.listen(Number(port ?? 0), '127.0.0.1', () => {
  reply({ port: server.server.address().port });
  const commands = createInterface({ input: process.stdin });
  commands.on('line', (line) => {
    const [command, code, count] = line.split(' ');
    const next = { code: Number(code), count: Number(count) };
    if (command === 'refuse') refusals = next;
    else if (command === 'sender') senders = next;
    else if (command === 'hold') holds = true;
    else process.exit(0);
    reply({ event: 'ok' });
  });
  commands.on('close', () => process.exit(0));
});
